import assert from 'node:assert/strict';
import { randomBytes, randomInt } from 'node:crypto';
import { describe, it } from 'node:test';

import { Fault } from '@causeway/contracts';

import type { Collection } from '../../collections/collection-registry.ts';
import { generateDocument, generateFilter } from '../../conditions/testing/generate.ts';
import type { Random } from '../../conditions/testing/random.ts';
import { seededRandom } from '../../conditions/testing/random.ts';
import { decideChange } from '../../records/change-record.ts';
import { decideCreate } from '../../records/create-record.ts';
import { demandReadable, demandRight } from '../../records/judge-record.ts';
import type { RecordDocument } from '../../records/record.model.ts';
import { parseRules } from '../parse-rules.ts';
import type { Follow } from '../follow/follow-records.ts';
import type { Action, Caller, Rules } from '../rule.ts';
import { decide } from '../rule.ts';
import type { ExplainedAccess } from './explain-access.ts';
import { explainAccess } from './explain-access.ts';

const { CAUSEWAY_TEST_SEED, CAUSEWAY_TEST_LONG } = process.env;

const at = new Date('2026-01-02T00:00:00.000Z');
const nobody: Caller = { signedIn: false, administrator: false, auth: {} };
const somebody = (sub: string): Caller => ({ signedIn: true, administrator: false, auth: { sub, roles: ['editor'] } });
const ada = somebody('usr_1');
const admin: Caller = { signedIn: true, administrator: true, auth: { sub: 'usr_9', roles: ['admin'] } };

const rulesOf = (json: unknown): Rules | undefined => {
  const parsed = parseRules(json, '/rules');
  return parsed.ok ? parsed.value : undefined;
};
const record = (fields: Record<string, unknown>) => ({
  _id: 'rec_1',
  revision: 1,
  fields,
  createdAt: new Date('2026-01-01T00:00:00.000Z'),
  updatedAt: new Date('2026-01-01T00:00:00.000Z'),
});

describe('what explains a decision', () => {
  const explain = (
    rules: unknown,
    action: Action,
    caller: Caller,
    fields: Record<string, unknown>,
    change?: Record<string, unknown>,
  ): ExplainedAccess => {
    const own = rulesOf(rules) ?? assert.fail();
    const changed = change === undefined ? undefined : record({ ...fields, ...change });
    return explainAccess({ rules: own, pending: undefined }, { action, caller, record: record(fields), changed, at });
  };
  const read = [{ status: 'published' }, { author: { $auth: 'sub' } }, { team: { $auth: 'org' } }];

  it('is the alternative that holds, and not one after it', () => {
    const explained = explain({ read }, 'read', ada, { status: 'published', author: 'usr_2' });
    assert.deepEqual(explained, {
      allowed: true,
      status: 200,
      because: 'Allowed: /rules/read/0: `status` is "published".',
      decidedBy: { pointer: '/rules/read/0', words: '`status` is "published"' },
      clauses: [
        { pointer: '/rules/read/0', holds: true, words: '`status` is "published"', rule: 'read' },
        {
          pointer: '/rules/read/1',
          holds: false,
          words: '`author` is the caller',
          fails: { words: '`author` is the caller', found: '"usr_2"' },
          rule: 'read',
        },
        {
          pointer: '/rules/read/2',
          holds: false,
          words: "`team` is the caller's organisation",
          fails: { words: "the caller's organisation (`org`) is not known" },
          rule: 'read',
        },
      ],
    });
    const own = explain({ read }, 'read', ada, { status: 'draft', author: 'usr_1' });
    assert.equal(own.decidedBy?.pointer, '/rules/read/1');
  });

  it('is the rule, where several alternatives fail', () => {
    const { status, because, decidedBy } = explain({ read }, 'read', ada, { status: 'draft' });
    assert.equal(status, 404);
    assert.equal(because, 'Not found: /rules/read: none of its 3 alternatives holds.');
    assert.equal(decidedBy?.pointer, '/rules/read');
  });

  it('is the first part that fails of the only alternative, with what is there', () => {
    const rules = { read: 'public', delete: [{ author: { $auth: 'sub' }, 'state.name': 'draft', n: { $gt: 1 } }] };
    const fields = { author: 'usr_1', state: { name: 'review' }, n: 0 };
    const { status, because } = explain(rules, 'delete', ada, fields);
    assert.equal(status, 403);
    assert.equal(because, 'Forbidden: /rules/delete/0 fails at: `state.name` is "draft"; found: "review".');
    const nothing = explain(rules, 'delete', ada, { author: 'usr_1' });
    assert.match(nothing.because, /`state.name` is "draft"; found: nothing\.$/);
    const list = explain(rules, 'delete', ada, { author: 'usr_1', state: [{ name: 'review' }] });
    assert.match(list.because, /fails at: `state.name` is "draft"\.$/);
  });

  it('is of a change what it begins with, and what it makes', () => {
    const rules = {
      read: 'public',
      update: { before: [{ status: 'draft' }], after: [{ status: 'review', author: { $before: 'author' } }] },
    };
    const draft = { status: 'draft', author: 'usr_1' };
    const change = (more: object): ExplainedAccess =>
      explain(rules, 'update', ada, draft, { status: 'review', ...more });
    assert.deepEqual([change({}).allowed, change({}).decidedBy?.pointer], [true, '/rules/update/after/0']);
    assert.deepEqual(
      change({}).clauses.map(({ pointer, rule }) => [pointer, rule]),
      [
        ['/rules/read', 'read'],
        ['/rules/update/before/0', 'update-before'],
        ['/rules/update/after/0', 'update-after'],
      ],
    );
    const stolen = change({ author: 'usr_2' });
    assert.deepEqual([stolen.status, stolen.decidedBy?.pointer], [403, '/rules/update/after/0']);
    assert.match(stolen.because, /`author` is what it was; found: "usr_2"/);
    const late = explain(rules, 'update', ada, { status: 'review' }, { status: 'published' });
    assert.deepEqual([late.status, late.decidedBy?.pointer], [403, '/rules/update/before/0']);
    const open = explain(rules, 'update', ada, draft);
    assert.deepEqual([open.allowed, open.decidedBy?.pointer], [true, '/rules/update/before/0']);
    assert.match(open.because, /once there is one\.$/);
  });

  it('names the caller alone where the rule looks at no more', () => {
    const because = (rules: unknown, caller: Caller): string => explain(rules, 'read', caller, {}).because;
    assert.equal(because({ read: 'public' }, nobody), 'Allowed: /rules/read: everybody.');
    assert.equal(because({ read: 'signed-in' }, nobody), 'Not found: /rules/read: everybody who is signed in.');
    assert.equal(because({}, admin), 'Allowed: /rules/read: administrators pass every rule.');
    assert.equal(because({ read: [] }, ada), 'Not found: /rules/read: administrators alone.');
    assert.match(because({}, ada), /^Not found: \/rules\/read: there is no such rule/);
  });

  it('is not there where the record is not', () => {
    const rules = rulesOf({ read: 'public' }) ?? assert.fail();
    const asked = { action: 'read', caller: admin, record: undefined, at } as const;
    const { allowed, status, decidedBy } = explainAccess({ rules, pending: undefined }, asked);
    assert.deepEqual([allowed, status, decidedBy], [false, 404, null]);
  });

  it('is 422 where patterns take too long, also for the reasons alone', () => {
    const text = randomBytes(300_000)
      .toString('latin1')
      .replaceAll(/./gs, (char) => (char < '\x80' ? 'a' : 'b'));
    const slow = { text: { $regex: 'a[ab]{900}[cd]' } };
    const tooCostly = { code: 'rule-too-costly', status: 422 };
    assert.throws(() => explain({ read: [slow] }, 'read', ada, { text }), tooCostly);
    // The decision is made before the pattern is met, the reasons are not.
    assert.throws(() => explain({ read: [{}, slow] }, 'read', ada, { text }), tooCostly);
  });
});

/** Rules of generated conditions, some of them about the caller, the time, and what was before. */
function generateRules(random: Random): unknown {
  const special = [
    { createdBy: { $auth: 'sub' } },
    { a: { $in: { $auth: 'roles' } } },
    { b: { $ne: { $auth: 'org' } } },
    { createdAt: { $gt: { $now: '-1d' } } },
  ];
  const before = [{ a: { $before: 'a' } }, { b: { $ne: { $before: 'a' } } }, { c: { $gte: { $before: 'b' } } }];
  const alternatives = (more: readonly object[]): unknown =>
    random.chance(20)
      ? random.pick(['public', 'signed-in'])
      : random.list(3, () => (random.chance(40) ? random.pick(more) : generateFilter(random, 2)));
  const one = (): Record<string, unknown> => ({
    ...(random.chance(90) ? { read: random.chance(60) ? 'public' : alternatives(special) } : {}),
    ...(random.chance(80) ? { create: alternatives(special) } : {}),
    ...(random.chance(80) ? { delete: alternatives(special) } : {}),
  });
  const update = random.chance(50)
    ? alternatives(special)
    : { before: alternatives(special), after: alternatives([...special, ...before]) };
  return { ...one(), update };
}

describe('an explanation of generated rules', () => {
  const rounds = CAUSEWAY_TEST_LONG === undefined ? 500 : 100_000;
  const by = ({ auth: { sub } }: Caller): string | undefined => (typeof sub === 'string' ? sub : undefined);

  /** What the call itself comes to. */
  async function statusOfCall(
    collection: Collection,
    action: Action,
    caller: Caller,
    current: RecordDocument,
    fields: object,
  ): Promise<number> {
    const follow: Follow = () => Promise.resolve(caller);
    try {
      switch (action) {
        case 'read':
          return decide(collection.rules.read, caller, current, { at }) ? 200 : 404;
        case 'create':
          await decideCreate(collection, caller, by(caller), { id: current._id, fields, at, follow });
          return 200;
        case 'update':
          demandReadable(collection, caller);
          await decideChange(collection, { caller, ifMatch: undefined, change: () => fields }, current, {
            by: by(caller),
            at,
            follow,
          });
          return 200;
        case 'delete':
          demandReadable(collection, caller);
          demandRight(collection, 'delete', caller, current, { at });
          return 200;
      }
    } catch (error) {
      if (error instanceof Fault) return error.status;
      throw error;
    }
  }

  /** What is asked of the explanation of the same call. */
  function explainCall(
    collection: Collection,
    action: Action,
    caller: Caller,
    current: RecordDocument,
    fields: RecordDocument['fields'],
  ) {
    const name = by(caller);
    const own = name === undefined ? {} : { createdBy: name };
    const created = { _id: current._id, revision: 1, fields, createdAt: at, updatedAt: at, ...own };
    const changed = {
      ...current,
      fields,
      revision: current.revision + 1,
      updatedAt: at,
      ...(name === undefined ? {} : { updatedBy: name }),
    };
    const judged = action === 'create' ? created : current;
    return explainAccess(collection, {
      action,
      caller,
      record: judged,
      changed: action === 'update' ? changed : undefined,
      at,
    });
  }

  it('is what the call comes to, and names what decides', async (test) => {
    const seed = Number(CAUSEWAY_TEST_SEED ?? randomInt(2 ** 31));
    test.diagnostic(`CAUSEWAY_TEST_SEED=${seed}`);
    const random = seededRandom(seed);
    const seen = new Map<string, number>();
    for (let round = 0; round < rounds; round += 1) {
      const json = generateRules(random);
      const [rules, coming] = [rulesOf(json), random.chance(20) ? rulesOf(generateRules(random)) : undefined];
      if (rules === undefined) continue;
      const schema = { validate: () => [], source: {} };
      const pending = coming === undefined ? undefined : { rules: coming, schema, fields: [], places: [] };
      const about = { id: 'col_1', name: 'things', def: 1, removing: false, fields: [], places: [] };
      const collection = { ...about, schema, rules, pending } as unknown as Collection;
      const current = {
        ...generateDocument(random, 'rec_1'),
        def: 1,
        event: 'e',
        outbox: [],
      } as unknown as RecordDocument;
      const { fields } = generateDocument(random, 'rec_1');
      const caller = random.pick([nobody, ada, somebody('usr_2'), admin]);
      for (const action of ['read', 'create', 'update', 'delete'] as const) {
        const expected = await statusOfCall(collection, action, caller, current, fields);
        const explained = explainCall(collection, action, caller, current, fields);
        const shown = JSON.stringify({ seed, action, json, caller, current, fields, explained });
        assert.equal(explained.status, expected, shown);
        assert.equal(explained.allowed, expected === 200, shown);
        const { decidedBy, clauses } = explained;
        const last = clauses.filter(
          ({ rule, pending: isPending }) => rule === clauses.at(-1)?.rule && isPending === clauses.at(-1)?.pending,
        );
        const deciding = explained.allowed ? last.find(({ holds }) => holds) : last.length === 1 ? last[0] : undefined;
        if (deciding !== undefined) assert.equal(decidedBy?.pointer, deciding.pointer, shown);
        else assert.ok(!explained.allowed && last.every(({ holds }) => !holds), shown);
        assert.ok(
          clauses.every(({ holds, fails }) => !holds || fails === undefined),
          shown,
        );
        const kind = `${action} ${expected}`;
        seen.set(kind, (seen.get(kind) ?? 0) + 1);
      }
    }
    // A generator that never allows or never refuses would prove nothing.
    for (const kind of [
      'read 200',
      'read 404',
      'create 200',
      'create 403',
      'update 200',
      'update 403',
      'delete 200',
      'delete 403',
    ]) {
      assert.ok((seen.get(kind) ?? 0) > rounds / 50, `${kind}: ${JSON.stringify([...seen])}`);
    }
  });
});
