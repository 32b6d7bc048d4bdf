import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { compileFilter } from '../conditions/compile-filter.ts';
import { parseRules } from './parse-rules.ts';
import type { Caller, Rule, Rules } from './rule.ts';
import { canEver, conditionOf, decide as decideAt } from './rule.ts';

const anonymous: Caller = { signedIn: false, administrator: false, auth: {} };
const ada: Caller = { signedIn: true, administrator: false, auth: { sub: 'usr_ada', roles: ['editor'] } };
const admin: Caller = { signedIn: true, administrator: true, auth: { sub: 'usr_root', roles: ['admin'] } };

const noon = new Date('2026-03-01T12:00:00.000Z');
const decide = (rule: Rule, caller: Caller, document: object, before?: object): boolean =>
  decideAt(rule, caller, document, { at: noon, before });

function rulesOf(json: unknown): Rules {
  const parsed = parseRules(json, '/rules');
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.value;
}

function article(fields: Record<string, unknown>): object {
  return { _id: 'rec_1', revision: 1, fields };
}

describe('a rule', () => {
  it('that is absent lets administrators pass, and nobody else', () => {
    const { read } = rulesOf({});
    assert.deepEqual(
      [anonymous, ada, admin].map((caller) => decide(read, caller, article({}))),
      [false, false, true],
    );
    assert.deepEqual(compileFilter(conditionOf(read, ada, { at: noon })), { _id: { $in: [] } });
  });

  it('whose patterns take too long over a record says so, and decides nothing', () => {
    const { read } = rulesOf({ read: [{ text: { $regex: 'a[ab]{900}[cd]' } }] });
    const text = randomBytes(300_000)
      .toString('latin1')
      .replaceAll(/./gs, (char) => (char < '\x80' ? 'a' : 'b'));
    assert.throws(() => decide(read, ada, article({ text })), { code: 'rule-too-costly', status: 422 });
    assert.equal(decide(read, admin, article({ text })), true);
    assert.equal(decide(read, ada, article({ text: `a${'b'.repeat(900)}c` })), true);
  });

  it('"signed-in" and "public" look at the caller alone', () => {
    const { read, create } = rulesOf({ read: 'public', create: 'signed-in' });
    assert.deepEqual(
      [anonymous, ada, admin].map((caller) => decide(read, caller, article({}))),
      [true, true, true],
    );
    assert.deepEqual(
      [anonymous, ada, admin].map((caller) => decide(create, caller, article({}))),
      [false, true, true],
    );
  });

  it('passes where one of its alternatives does', () => {
    const { read } = rulesOf({ read: [{ status: 'published' }, { author: { $auth: 'sub' } }] });
    const decisions = (fields: Record<string, unknown>): boolean[] =>
      [anonymous, ada, admin].map((caller) => decide(read, caller, article(fields)));
    assert.deepEqual(decisions({ status: 'published' }), [true, true, true]);
    assert.deepEqual(decisions({ status: 'draft', author: 'usr_ada' }), [false, true, true]);
    assert.deepEqual(decisions({ status: 'draft', author: 'usr_eve' }), [false, false, true]);
    // A record without an author does not belong to a caller without a name.
    assert.deepEqual(decisions({ status: 'draft' }), [false, false, true]);
  });

  it('tells who can pass it with no record', () => {
    const can = (read: unknown): boolean[] =>
      [anonymous, ada, admin].map((caller) => canEver(rulesOf(read === undefined ? {} : { read }).read, caller));
    assert.deepEqual(can(undefined), [false, false, true]);
    assert.deepEqual(can([]), [false, false, true]);
    assert.deepEqual(can('signed-in'), [false, true, true]);
    assert.deepEqual(can('public'), [true, true, true]);
    assert.deepEqual(can([{ author: { $auth: 'sub' } }, { team: { $auth: 'org' } }]), [false, true, true]);
    assert.deepEqual(can([{ team: { $auth: 'org' } }, { status: 'published' }]), [true, true, true]);
  });

  it('without alternatives is for administrators', () => {
    const { delete: remove } = rulesOf({ delete: [] });
    assert.deepEqual(
      [ada, admin].map((caller) => decide(remove, caller, article({}))),
      [false, true],
    );
  });

  it('takes no part of an alternative for true because a value is absent', () => {
    const { read } = rulesOf({ read: [{ owner: { $ne: { $auth: 'org' } } }, { teams: { $nin: { $auth: 'roles' } } }] });
    assert.equal(decide(read, ada, article({ owner: 'org_1', teams: ['editor'] })), false);
    assert.equal(decide(read, ada, article({ owner: 'org_1', teams: ['other'] })), true);
    assert.equal(decide(read, anonymous, article({})), false);
  });

  it('looks at the time, on the fields of users as on those that the service keeps', () => {
    const { read, update } = rulesOf({
      read: [{ until: { $gt: { $now: true } } }],
      update: [{ createdAt: { $gt: { $now: '-1h' } } }],
    });
    const until = (text: string): boolean => decide(read, ada, article({ until: text }));
    assert.equal(until('2026-03-01T12:00:00.000Z'), false);
    assert.equal(until('2026-03-01T12:00:00.001Z'), true);
    assert.equal(decide(read, ada, article({})), false);
    const isNew = (createdAt: string): boolean =>
      decide(update.after, ada, { fields: {}, createdAt: new Date(createdAt) });
    assert.equal(isNew('2026-03-01T11:00:00.000Z'), false);
    assert.equal(isNew('2026-03-01T11:00:00.001Z'), true);
  });

  it('for updates is one that holds before and after, or one for each', () => {
    const both = rulesOf({ update: [{ status: 'draft' }] }).update;
    assert.equal(both.before, both.after);
    const { before, after } = rulesOf({ update: { before: [{ status: 'draft' }], after: 'signed-in' } }).update;
    assert.equal(decide(before, ada, article({ status: 'review' })), false);
    assert.equal(decide(after, ada, article({ status: 'review' })), true);
    assert.deepEqual(rulesOf({}).update, { before: { kind: 'administrators' }, after: { kind: 'administrators' } });
  });

  it('compares a changed record with what it was', () => {
    const { after } = rulesOf({ update: { before: 'public', after: [{ n: { $gte: { $before: 'n' } } }] } }).update;
    const rises = (from: unknown, to: unknown): boolean => decide(after, ada, article({ n: to }), article({ n: from }));
    assert.deepEqual([rises(1, 1), rises(1, 2), rises(2, 1), rises('a', 2)], [true, true, false, false]);
    assert.equal(decide(after, ada, article({ n: 1 }), undefined), false);
    assert.equal(decide(after, ada, article({}), article({})), true);
  });

  const kept: readonly (readonly [from: unknown, to: unknown, isKept: boolean])[] = [
    ['ada', 'ada', true],
    ['ada', 'eve', false],
    ['ada', undefined, false],
    ['ada', ['ada'], false],
    ['ada', ['eve', 'ada'], false],
    [undefined, undefined, true],
    [undefined, null, true],
    [undefined, 'ada', false],
    [null, [null], false],
    [['ada'], ['ada'], true],
    [['ada'], [['ada']], false],
    [['ada'], ['ada', 'eve'], false],
    [['ada', 'eve'], ['ada', 'eve'], true],
    [[], [], true],
    [[], [[]], false],
    [{ a: 1 }, { a: 1 }, true],
    [{ a: 1 }, { a: 2 }, false],
    [{ a: 1 }, [{ a: 1 }], false],
  ];
  for (const [from, to, isKept] of kept) {
    it(`takes ${JSON.stringify(to)} for ${isKept ? 'what it was' : 'another value'} where it was ${JSON.stringify(from)}`, () => {
      const { update } = rulesOf({
        update: { before: 'public', after: [{ owner: { $before: 'owner' } }] },
      });
      const { update: changed } = rulesOf({
        update: { before: 'public', after: [{ owner: { $ne: { $before: 'owner' } } }] },
      });
      const record = (owner: unknown): object => article(owner === undefined ? {} : { owner });
      assert.equal(decide(update.after, ada, record(to), record(from)), isKept);
      assert.equal(decide(changed.after, ada, record(to), record(from)), !isKept);
    });
  }

  it('is refused where it is none', () => {
    for (const [json, pointer] of [
      [{ read: 'everyone' }, '/rules/read'],
      [{ publish: 'public' }, '/rules/publish'],
      [{ read: [{ a: { $where: 1 } }] }, '/rules/read/0/a/$where'],
      [{ read: null }, '/rules/read'],
      [[], '/rules'],
      [{ read: [{ a: { $gt: { $now: '-1w' } } }] }, '/rules/read/0/a/$gt'],
      [{ read: [{ a: { $before: 'a' } }] }, '/rules/read/0/a'],
      [{ create: [{ a: { $before: 'a' } }] }, '/rules/create/0/a'],
      [{ update: [{ a: { $before: 'a' } }] }, '/rules/update/0/a'],
      [{ update: { before: [{ a: { $before: 'a' } }], after: [] } }, '/rules/update/before/0/a'],
      [{ update: { before: [] } }, '/rules/update'],
      [{ update: { after: 'public' } }, '/rules/update'],
      [{ update: {} }, '/rules/update'],
      [{ update: { before: 'public', after: 'public', author: { $auth: 'sub' } } }, '/rules/update/author'],
      [{ update: { before: null, after: 'public' } }, '/rules/update/before'],
      [{ update: { before: 'public', after: { author: 'a' } } }, '/rules/update/after'],
      [{ read: { before: 'public', after: 'public' } }, '/rules/read'],
    ] as const) {
      const parsed = parseRules(json, '/rules');
      assert.ok(!parsed.ok);
      assert.deepEqual(
        parsed.faults.map((fault) => fault.pointer),
        [pointer],
      );
    }
  });
});
