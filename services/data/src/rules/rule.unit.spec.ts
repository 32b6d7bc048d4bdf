import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { compileFilter } from '../conditions/compile-filter.ts';
import type { Caller, Rules } from './rule.ts';
import { canEver, conditionOf, decide, parseRules } from './rule.ts';

const anonymous: Caller = { signedIn: false, administrator: false, auth: {} };
const ada: Caller = { signedIn: true, administrator: false, auth: { sub: 'usr_ada', roles: ['editor'] } };
const admin: Caller = { signedIn: true, administrator: true, auth: { sub: 'usr_root', roles: ['admin'] } };

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
    assert.deepEqual(compileFilter(conditionOf(read, ada)), { _id: { $in: [] } });
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

  it('is refused where it is none', () => {
    for (const [json, pointer] of [
      [{ read: 'everyone' }, '/rules/read'],
      [{ publish: 'public' }, '/rules/publish'],
      [{ read: [{ a: { $where: 1 } }] }, '/rules/read/0/a/$where'],
      [{ read: null }, '/rules/read'],
      [[], '/rules'],
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
