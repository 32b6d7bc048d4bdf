import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import type { EventEnvelope } from '@causeway/contracts';

import { mergePatchType } from '../records/merge-patch.ts';
import { operatorsType } from '../operators/parse-operators.ts';
import { openTestData } from '../testing/test-data.ts';
import type { Answered, Person, TestData, TestReplica } from '../testing/test-data.ts';

interface Migration {
  readonly name: string;
  readonly status: string;
  readonly reversible: boolean;
  readonly progress: {
    readonly step: number;
    readonly steps: number;
    readonly looked: number;
    readonly changed: number;
  };
  readonly failure?: {
    readonly step: number;
    readonly collection: string;
    readonly recordId?: string;
    readonly code: string;
    readonly errors?: readonly { readonly pointer: string; readonly code: string }[];
    readonly examples?: readonly { readonly id: string }[];
    readonly advice: string;
  };
}

interface Row {
  readonly id: string;
  readonly revision: number;
  readonly [field: string]: unknown;
}

const open = { schema: { additionalProperties: true }, rules: { read: 'public', create: 'public', update: 'public' } };

describe('migrations', () => {
  let data: TestData;
  let replica: TestReplica;
  let other: TestReplica;
  let admin: Person;
  let ada: Person;

  before(async () => {
    data = await openTestData();
    [replica, other] = [await data.replica(), await data.replica()];
    admin = await data.person({ roles: ['admin'] });
    ada = await data.person();
  });
  after(() => data.stop());

  let count = 0;
  const newMigration = (): string => `${String((count += 1)).padStart(4, '0')}-test`;
  const newName = (): string => `c${randomUUID().slice(0, 8)}`;
  const as = { token: '' };
  const call = (methodAndPath: string, body?: unknown, at = replica, token = admin.token) =>
    at.call(methodAndPath, { ...as, token, ...(body === undefined ? {} : { body }) });
  const code = ({ status, body }: Answered): string => `${status} ${String(body.code)}`;
  const errorsOf = (answer: Answered) =>
    (answer.body as unknown as { errors?: { pointer: string; code: string }[] }).errors ?? [];
  const define = async (definition: object = open, name = newName()): Promise<string> => {
    const answer = await call(`PUT /v1/collections/${name}`, definition);
    assert.ok(answer.status < 300, answer.text);
    return name;
  };
  const fill = async (name: string, rows: readonly object[], at = replica): Promise<void> => {
    const body = rows.map((each) => JSON.stringify(each)).join('\n');
    const answer = await at.call(`POST /v1/data/${name}`, { body, type: 'application/x-ndjson', token: admin.token });
    assert.equal(answer.status, 200, answer.text);
  };
  const list = async (name: string, at = replica): Promise<readonly Row[]> => {
    const answer = await at.call(`GET /v1/data/${name}`, {
      token: admin.token,
      headers: { accept: 'application/x-ndjson' },
    });
    assert.equal(answer.status, 200, answer.text);
    return answer.text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Row);
  };
  const read = async (name: string, at = replica): Promise<Migration> => {
    const answer = await call(`GET /v1/migrations/${name}`, undefined, at);
    assert.equal(answer.status, 200, answer.text);
    return answer.body as unknown as Migration;
  };
  const settled = async (name: string, at = replica): Promise<Migration> => {
    const bound = performance.now() + 60_000;
    while (performance.now() < bound) {
      const migration = await read(name, at);
      if (migration.status !== 'running' && migration.status !== 'reverting') return migration;
      await delay(50);
    }
    return assert.fail(`${name} does not come to an end`);
  };
  const make = async (steps: readonly object[], more: object = {}, name = newMigration()): Promise<Migration> => {
    const answer = await call('POST /v1/migrations', { name, steps, ...more });
    assert.equal(answer.status, 202, answer.text);
    assert.equal(answer.headers.get('location'), `/v1/migrations/${name}`);
    return await settled(name);
  };
  const revert = async (name: string): Promise<Migration> => {
    const answer = await call(`POST /v1/migrations/${name}/revert`);
    assert.equal(answer.status, 202, answer.text);
    return await settled(name);
  };
  const change = (collection: string, operators: object, filter?: object) => ({
    change: { collection, operators, ...(filter === undefined ? {} : { filter }) },
  });
  const eventsOf = async (match: (event: EventEnvelope) => boolean, least: number) =>
    await (await data.published()).waitFor(match, least);
  const isOf = (name: string) => (event: EventEnvelope) => event.subject === `migration/${name}`;

  it('change definitions and records step by step, each record once, and tell of it', async () => {
    const strict = { properties: { name: { type: 'string' }, score: { type: 'string' } } };
    const name = await define({ schema: strict });
    const fresh = newName();
    await fill(
      name,
      Array.from({ length: 450 }, (_, n) => ({ name: `n${n}`, ...(n % 2 ? { score: String(n) } : {}) })),
    );
    const { title, ...migrated } = { title: { type: 'string' }, score: { type: 'integer' }, state: { enum: ['new'] } };
    const migration = newMigration();
    const made = await make(
      [
        { define: { collection: name, schema: { additionalProperties: true } } },
        change(name, {
          $rename: { name: 'title' },
          $convert: { score: 'integer' },
          $default: { state: 'new' },
          $unset: { none: true },
        }),
        { define: { collection: name, schema: { properties: { title, ...migrated } } } },
        {
          define: {
            collection: fresh,
            schema: { properties: { to: { type: 'string' } } },
            fields: { to: { reference: { collection: fresh } } },
          },
        },
      ],
      {},
      migration,
    );
    assert.equal(made.status, 'applied', JSON.stringify(made.failure));
    assert.deepEqual(
      [made.progress.step, made.progress.steps, made.progress.looked, made.progress.changed],
      [4, 4, 450, 450],
    );
    const rows = await list(name);
    assert.deepEqual(
      rows.map(({ id: _id, createdAt: _c, createdBy: _b, updatedAt: _u, updatedBy: _w, ...row }) => row),
      Array.from({ length: 450 }, (_, n) => ({
        title: `n${n}`,
        ...(n % 2 ? { score: n } : {}),
        state: 'new',
        revision: 2,
      })).map(({ revision, ...row }) => ({ ...row, revision })),
    );
    assert.equal((await call(`GET /v1/collections/${fresh}`)).status, 200);

    const own = await eventsOf(isOf(migration), 2);
    assert.deepEqual(
      own.map(({ type }) => type),
      ['data.migration.begun', 'data.migration.ended'],
    );
    const [begun, ended] = own;
    const begunId = begun?.id;
    assert.deepEqual(begun?.data, { migration, direction: 'up', steps: 4, resumed: false });
    assert.deepEqual(ended?.data, {
      ...{ migration, direction: 'up', outcome: 'applied', step: 4, steps: 4 },
      ...{ looked: 450, changed: 450 },
    });
    const changes = await eventsOf(
      ({ causationid, type }) => causationid === begunId && type === 'data.record.updated',
      450,
    );
    assert.equal(new Set(changes.map(({ subject }) => subject)).size, 450);
    assert.ok(changes.every(({ data: told }) => (told as { reason: string }).reason === 'migration'));
    assert.ok(changes.every(({ authid }) => authid === admin.id));
  });

  it('are made in the order of their names, each once, and one at a time', async () => {
    const name = await define();
    await fill(name, [{ n: 1 }]);
    const [first, second] = [newMigration(), newMigration()];
    const steps = [change(name, { $inc: { n: 1 } })];
    await make(steps, {}, second);
    const again = await call('POST /v1/migrations', { name: second, steps });
    assert.deepEqual([again.status, again.headers.get('causeway-event')], [200, null]);
    assert.equal(
      code(await call('POST /v1/migrations', { name: second, steps: [change(name, { $inc: { n: 2 } })] })),
      '409 migration-differs',
    );
    const late = await call('POST /v1/migrations', { name: first, steps });
    assert.deepEqual([code(late), late.body.last], ['409 migration-out-of-order', second]);
    assert.deepEqual(
      (await list(name)).map(({ n, revision }) => [n, revision]),
      [[2, 2]],
    );
    const third = newMigration();
    const both = await Promise.all(
      [replica, other, replica, other].map((at) => call('POST /v1/migrations', { name: third, steps }, at)),
    );
    assert.ok(
      both.every(({ status }) => status === 200 || status === 202),
      both.map(code).join(),
    );
    assert.equal((await settled(third)).status, 'applied');
    assert.deepEqual(
      (await list(name)).map(({ n, revision }) => [n, revision]),
      [[3, 3]],
    );
    const all = await call('GET /v1/migrations?limit=2');
    assert.deepEqual(
      (all.body as unknown as { items: Migration[] }).items.map((each) => each.name),
      [third, second],
    );
  });

  it('change what a filter finds, and delete with what follows from that', async () => {
    const parents = await define();
    const children = await define({
      ...open,
      schema: { properties: { parent: { type: 'string' } } },
      fields: { parent: { reference: { collection: parents, onDelete: 'cascade' } } },
    });
    await fill(
      parents,
      Array.from({ length: 30 }, (_, n) => ({ n, tags: [n % 3 === 0 ? 'old' : 'new'] })),
    );
    const ids = (await list(parents)).map(({ id }) => id);
    await fill(
      children,
      ids.map((parent) => ({ parent })),
    );
    const made = await make([
      change(
        parents,
        { $pull: { tags: 'old' }, $inc: { n: 100 } },
        { tags: 'old', createdAt: { $lte: { $now: true } } },
      ),
      { remove: { collection: parents, filter: { n: { $gte: 100 } } } },
      { remove: { collection: parents, filter: { $or: [{ n: 1 }, { n: 2 }] } } },
    ]);
    assert.equal(made.status, 'applied', JSON.stringify(made.failure));
    assert.equal(made.progress.changed, 10 + 2 * 10 + 2 * 2);
    const left = await list(parents);
    assert.deepEqual([left.length, (await list(children)).length], [18, 18]);
    assert.ok(left.every(({ revision }) => revision === 1));
    const gone = await eventsOf(
      ({ type, data: told }) =>
        type === 'data.record.deleted' && (told as { collection: string }).collection === parents,
      12,
    );
    assert.deepEqual([...new Set(gone.map(({ data: told }) => (told as { reason: string }).reason))], ['migration']);
  });

  it('stop at a record that is in the way, say which one and what to do, and go on', async () => {
    const name = await define();
    await fill(
      name,
      Array.from({ length: 260 }, (_, n) => ({ n: n === 230 ? 'many' : String(n), m: 0 })),
    );
    const migration = newMigration();
    const steps = [change(name, { $convert: { n: 'number' }, $inc: { m: 1 } })];
    const stopped = await make(steps, {}, migration);
    const bad = (await list(name)).find(({ n }) => n === 'many')?.id;
    assert.equal(stopped.status, 'stopped');
    const { failure } = stopped;
    assert.deepEqual(
      [failure?.step, failure?.collection, failure?.recordId, failure?.code, failure?.errors],
      [
        0,
        name,
        bad,
        'operator-failed',
        [{ pointer: '/n', code: 'cannot-convert', message: 'This is nothing that could be a number.' }],
      ],
    );
    assert.match(failure?.advice ?? '', /send the migration again/);
    assert.equal((await list(name)).filter(({ revision }) => revision === 2).length, 200, 'whole chunks');
    const next = newMigration();
    const blocked = await call('POST /v1/migrations', { name: next, steps });
    assert.deepEqual([code(blocked), blocked.body.unfinished], ['409 migration-unfinished', migration]);
    const fixed = await replica.call(`PATCH /v1/data/${name}/${String(bad)}`, {
      body: { n: '230' },
      type: mergePatchType,
      token: admin.token,
    });
    assert.equal(fixed.status, 200, fixed.text);
    assert.equal((await call('POST /v1/migrations', { name: migration, steps })).status, 202);
    assert.equal((await settled(migration)).status, 'applied');
    const rows = await list(name);
    assert.deepEqual(
      rows.map(({ n }) => n),
      Array.from({ length: 260 }, (_, n) => n),
    );
    assert.ok(rows.every(({ m, revision, id }) => m === 1 && revision === (id === bad ? 3 : 2)));
    const own = await eventsOf(isOf(migration), 4);
    assert.deepEqual(
      own.map(({ type, data: told }) => [
        type.slice(15),
        (told as { outcome?: string }).outcome,
        (told as { resumed?: boolean }).resumed,
      ]),
      [
        ['begun', undefined, false],
        ['ended', 'stopped', undefined],
        ['begun', undefined, true],
        ['ended', 'applied', undefined],
      ],
    );
    assert.deepEqual((own[1]?.data as { failure: unknown }).failure, {
      code: 'operator-failed',
      collection: name,
      recordId: bad,
    });
  });

  it('keep to schema, unique indexes and references', async () => {
    const targets = await define();
    await fill(targets, [{ n: 1 }]);
    const [target] = await list(targets);
    const name = await define({
      ...open,
      schema: { properties: { n: { type: 'number' }, u: { type: 'number' }, to: { type: 'string' } } },
      indexes: [{ keys: { u: 1 }, unique: true, where: { u: { $exists: true } } }],
      fields: { to: { reference: { collection: targets } } },
    });
    await fill(
      name,
      Array.from({ length: 5 }, (_, n) => ({ n })),
    );
    const ids = (await list(name)).map(({ id }) => id);
    const cases = [
      [change(name, { $set: { n: 'text' } }), 'invalid-request', ids[0]],
      [change(name, { $copy: { n: 'other' } }), 'invalid-request', ids[0]],
      [change(name, { $set: { u: 7 } }), 'duplicate-value', ids[1]],
      [change(name, { $set: { to: 'rec_gone' } }, { n: 3 }), 'reference-not-found', undefined],
      [{ remove: { collection: targets, filter: {} } }, 'still-referenced', target?.id],
      [{ drop: { collection: targets } }, 'collection-referenced', undefined],
      [{ drop: { collection: name } }, 'collection-not-empty', undefined],
      [
        { define: { collection: name, schema: { properties: { n: { maximum: 3 } } } } },
        'definition-conflict',
        undefined,
      ],
    ] as const;
    const related = await replica.call(`PATCH /v1/data/${name}/${String(ids[4])}`, {
      body: { to: target?.id },
      type: mergePatchType,
      token: admin.token,
    });
    assert.equal(related.status, 200, related.text);
    const was = await list(name);
    for (const [step, expected, id] of cases) {
      const {
        status,
        failure,
        name: migration,
      } = await make([step], { down: [change(name, { $unset: { none: true } })] });
      assert.deepEqual([status, failure?.code], ['stopped', expected], JSON.stringify(failure));
      if (id !== undefined) assert.equal(failure?.recordId, id);
      if (expected === 'definition-conflict')
        assert.deepEqual(
          failure?.examples?.map((each) => each.id),
          [ids[4]],
        );
      assert.equal((await revert(migration)).status, 'reverted');
      assert.deepEqual(await list(name), was, expected);
    }
  });

  it('are reverted: by what they say, or by what follows from their steps', async () => {
    const name = await define({ schema: { properties: { a: { type: 'string' }, n: { type: 'number' } } } });
    const schemaOf = async (): Promise<unknown> => (await call(`GET /v1/collections/${name}`)).body.schema;
    const was = await schemaOf();
    await fill(
      name,
      Array.from({ length: 10 }, (_, n) => ({ a: `a${n}`, n })),
    );
    const fresh = newName();
    const derived = await make([
      { define: { collection: name, schema: { additionalProperties: true } } },
      change(name, { $rename: { a: 'b' } }),
      { define: { collection: fresh, schema: {} } },
    ]);
    assert.deepEqual([derived.status, derived.reversible], ['applied', true]);
    const next = await make([change(name, { $inc: { n: 10 } })], { down: [change(name, { $inc: { n: -10 } })] });
    const early = await call(`POST /v1/migrations/${derived.name}/revert`);
    assert.deepEqual([code(early), early.body.last], ['409 migration-out-of-order', next.name]);
    assert.equal((await revert(next.name)).status, 'reverted');
    assert.equal((await revert(derived.name)).status, 'reverted');
    const rows = await list(name);
    assert.deepEqual(
      rows.map(({ a, b, n }) => [a, b, n]),
      Array.from({ length: 10 }, (_, n) => [`a${n}`, undefined, n]),
    );
    const after = await schemaOf();
    assert.deepEqual(after, was);
    assert.equal((await call(`GET /v1/collections/${fresh}`)).status, 404);
    const again = await call(`POST /v1/migrations/${derived.name}/revert`);
    assert.deepEqual([again.status, again.headers.get('causeway-event')], [200, null]);
    const irreversible = await make([change(name, { $unset: { n: true } })]);
    assert.equal(irreversible.reversible, false);
    assert.equal(code(await call(`POST /v1/migrations/${irreversible.name}/revert`)), '409 migration-irreversible');
    assert.equal(code(await call('POST /v1/migrations/9999-nothing/revert')), '404 not-found');
  });

  it('that have stopped are reverted as far as they had got, and not by steps that know of no place', async () => {
    const name = await define();
    // The 231st has both; those behind it have had the new name from the beginning.
    const rows = Array.from({ length: 260 }, (_, n) => (n < 230 ? { a: n } : n === 230 ? { a: n, b: n } : { b: n }));
    await fill(name, rows);
    const shown = async () =>
      (await list(name)).map(({ a, b }) => ({ ...(a !== undefined && { a }), ...(b !== undefined && { b }) }));
    const renaming = await make([change(name, { $rename: { a: 'b' } })]);
    assert.deepEqual([renaming.status, renaming.failure?.code], ['stopped', 'operator-failed']);
    assert.equal((await revert(renaming.name)).status, 'reverted');
    assert.deepEqual(await shown(), rows);
    const untouched = (await list(name)).slice(200);
    assert.ok(untouched.every(({ revision }) => revision === 1));

    const counted = await define();
    await fill(
      counted,
      Array.from({ length: 260 }, (_, n) => ({ n: n === 230 ? 'many' : n })),
    );
    const steps = [change(counted, { $inc: { n: 1 } })];
    const down = [change(counted, { $inc: { n: -1 } })];
    const counting = await make(steps, { down });
    assert.equal(counting.status, 'stopped');
    const was = await list(counted);
    const refused = await call(`POST /v1/migrations/${counting.name}/revert`);
    assert.equal(code(refused), '409 migration-irreversible');
    assert.match(String(refused.body.detail), /go on/);
    assert.deepEqual(await list(counted), was);
    const bad = was.find(({ n }) => n === 'many')?.id;
    const body = { n: 230 };
    await replica.call(`PATCH /v1/data/${counted}/${String(bad)}`, { body, type: mergePatchType, token: admin.token });
    assert.equal((await call('POST /v1/migrations', { name: counting.name, steps, down })).status, 202);
    assert.equal((await settled(counting.name)).status, 'applied');
    assert.equal((await revert(counting.name)).status, 'reverted');
    assert.deepEqual(
      (await list(counted)).map(({ n }) => n),
      Array.from({ length: 260 }, (_, n) => n),
    );
  });

  it('that are reverted may be made anew, with other steps', async () => {
    const name = await define();
    await fill(name, [{ n: 1 }]);
    const down = { down: [change(name, { $inc: { n: -1 } })] };
    const first = await make([change(name, { $inc: { n: 1 } })], down);
    await revert(first.name);
    const second = await make([change(name, { $inc: { n: 5 } })], down, first.name);
    assert.equal(second.status, 'applied');
    assert.deepEqual(
      (await list(name)).map(({ n, revision }) => [n, revision]),
      [[6, 4]],
    );
  });

  it('count every change once beside others who write, by two replicas that take it from each other', async () => {
    const name = await define();
    await fill(
      name,
      Array.from({ length: 700 }, () => ({ n: 0, m: 0 })),
    );
    const ids = (await list(name)).map(({ id }) => id);
    const migration = newMigration();
    let isOver = false;
    const increments = new Map<string, number>();
    const writing = Promise.all(
      [0, 1, 2, 3].map(async (writer) => {
        for (let turn = writer; !isOver; turn += 4) {
          const id = ids[(turn * 37) % ids.length] ?? '';
          const at = turn % 2 === 0 ? replica : other;
          const answer = await at.call(`PATCH /v1/data/${name}/${id}`, {
            body: { $inc: { m: 1 } },
            type: operatorsType,
            token: admin.token,
          });
          if (answer.status === 200) increments.set(id, (increments.get(id) ?? 0) + 1);
          else assert.equal(answer.status, 503, answer.text);
        }
      }),
    );
    // Whoever has it is taken for dead, again and again.
    const stealing = (async () => {
      while (!isOver) {
        await data.db.collection('migrating').updateMany({}, { $set: { until: new Date(0) } });
        await delay(20);
      }
    })();
    try {
      assert.equal((await make([change(name, { $inc: { n: 1 } })], {}, migration)).status, 'applied');
    } finally {
      isOver = true;
      await Promise.all([writing, stealing]);
    }
    const rows = await list(name);
    assert.equal(rows.length, 700);
    for (const { id, n, m, revision } of rows) {
      assert.deepEqual([n, m, revision], [1, increments.get(id) ?? 0, 2 + (increments.get(id) ?? 0)]);
    }
  });

  it('are an administrator’s, and are refused with every fault', async () => {
    const name = await define();
    const steps = [change(name, { $set: { a: 1 } })];
    for (const methodAndPath of [
      'POST /v1/migrations',
      'GET /v1/migrations',
      'GET /v1/migrations/0001-a',
      'POST /v1/migrations/0001-a/revert',
    ]) {
      const body = methodAndPath === 'POST /v1/migrations' ? { name: '9000-a', steps } : undefined;
      assert.equal((await call(methodAndPath, body, replica, ada.token)).status, 403, methodAndPath);
    }
    assert.equal((await call('GET /v1/migrations/0000-none')).status, 404);
    for (const bad of ['titles', '1-titles', '0001-Titles', '0001-', `0001-${'a'.repeat(51)}`, '../x']) {
      assert.equal((await call('POST /v1/migrations', { name: bad, steps })).status, 400, bad);
    }
    const refused: readonly (readonly [object, string])[] = [
      [{}, '/steps/0'],
      [{ ...change(name, { $set: { a: 1 } }), drop: { collection: name } }, '/steps/0'],
      [change('nowhere', { $set: { a: 1 } }), '/steps/0/change/collection'],
      [change(name, {}), '/steps/0/change/operators'],
      [change(name, { $rename: { a: 'revision' } }), '/steps/0/change/operators/$rename/a'],
      [change(name, { $rename: { a: 'a.b' } }), '/steps/0/change/operators/$rename/a'],
      [change(name, { $rename: { a: 'b', b: 'a' } }), '/steps/0/change/operators/$rename/b'],
      [change(name, { $rename: { a: 7 } }), '/steps/0/change/operators/$rename/a'],
      [change(name, { $convert: { a: 'date' } }), '/steps/0/change/operators/$convert/a'],
      [change(name, { $default: {} }), '/steps/0/change/operators/$default'],
      [change(name, { $where: { a: 1 } }), '/steps/0/change/operators/$where'],
      [change(name, { $set: { a: 1 } }, { $where: '1' }), '/steps/0/change/filter/$where'],
      [change(name, { $set: { a: 1 } }, { a: { $auth: 'sub' } }), '/steps/0/change/filter/a'],
      [{ remove: { collection: name } }, '/steps/0/remove/filter'],
      [{ define: { collection: 'No', schema: {} } }, '/steps/0/define/collection'],
      [{ define: { collection: name, schema: { type: 'text' } } }, '/steps/0/define/schema/type'],
      [
        { define: { collection: name, schema: {}, fields: { to: { reference: { collection: 'nowhere' } } } } },
        '/steps/0/define/fields/to/reference/collection',
      ],
      [{ truncate: { collection: name } }, '/steps/0/truncate'],
    ];
    for (const [step, pointer] of refused) {
      const answer = await call('POST /v1/migrations', { name: '9000-bad', steps: [step] });
      assert.equal(code(answer), '400 invalid-request', `${JSON.stringify(step)} ${answer.text}`);
      assert.deepEqual([...new Set(errorsOf(answer).map((each) => each.pointer))], [pointer]);
    }
    assert.equal((await call('POST /v1/migrations', { name: '9000-bad', steps: [] })).status, 400);
    assert.equal(
      (await call('POST /v1/migrations', { name: '9000-bad', steps: Array.from({ length: 21 }, () => steps[0]) }))
        .status,
      400,
    );
    assert.equal((await call('POST /v1/migrations', { name: '9000-bad', steps, down: [{}] })).status, 400);
    assert.equal((await call('GET /v1/migrations/9000-bad')).status, 404, 'nothing is kept of it');
  });
});

describe('a migration whose process is killed', () => {
  for (const moment of ['written', 'committed'] as const) {
    it(`at a chunk that is ${moment} goes on at another, and changes each record once`, async () => {
      const data = await openTestData();
      try {
        const admin = await data.person({ roles: ['admin'] });
        const first = await data.replica();
        const defined = await first.call('PUT /v1/collections/rows', { body: open, token: admin.token });
        assert.equal(defined.status, 201, defined.text);
        const body = Array.from({ length: 700 }, (_, n) => JSON.stringify({ n, was: n })).join('\n');
        await first.call('POST /v1/data/rows', { body, type: 'application/x-ndjson', token: admin.token });
        // Nobody else makes it before that one is gone.
        await first.stop();
        const wanted = {
          name: '0001-kill',
          steps: [{ change: { collection: 'rows', operators: { $inc: { n: 1_000 } } } }],
        };
        const file = path.resolve(import.meta.dirname, '../testing/migration-child.ts');
        const child = fork(file, [data.redisPrefix, JSON.stringify(wanted), moment, '3'], {
          execArgv: ['--conditions=development'],
        });
        const ended = once(child, 'exit');
        child.once('message', () => child.kill('SIGKILL'));
        const [, signal] = (await ended) as [unknown, string];
        assert.equal(signal, 'SIGKILL');
        const rows = data.db.collection<{ _id: string; revision: number }>(`records_${String(defined.body.id)}`);
        assert.equal(await rows.countDocuments({ revision: 2 }), moment === 'written' ? 400 : 600);
        const second = await data.replica();
        const bound = performance.now() + 60_000;
        let status: unknown;
        while (performance.now() < bound && status !== 'applied') {
          ({ status } = (await second.call('GET /v1/migrations/0001-kill', { token: admin.token })).body);
          await delay(50);
        }
        assert.equal(status, 'applied');
        assert.equal(
          await rows.countDocuments({ revision: 2, $expr: { $eq: ['$fields.n', { $add: ['$fields.was', 1_000] }] } }),
          700,
        );
        const published = await data.published();
        const events = await published.waitFor(({ type }) => type === 'data.record.updated', 700);
        assert.deepEqual([events.length, new Set(events.map(({ subject }) => subject)).size], [700, 700]);
      } finally {
        await data.stop();
      }
    });
  }
});
