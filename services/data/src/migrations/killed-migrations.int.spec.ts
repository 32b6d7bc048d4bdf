import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { changesCollection, definitionsCollection } from '../collections/collection.model.ts';
import { seededRandom } from '../conditions/testing/random.ts';
import type { Killing, MigrationJob } from '../testing/migration-writes-child.ts';
import { openTestData } from '../testing/test-data.ts';
import type { Person, TestData, TestReplica } from '../testing/test-data.ts';
import type { Step } from './step.ts';

const seed = Number(process.env.CAUSEWAY_TEST_SEED ?? randomInt(1_000_000));
const { pick, below } = seededRandom(seed);
/** Of each kind of migration: at so many of its writes, or, in long runs, at each kind of write. */
const mostKills = (process.env.CAUSEWAY_TEST_LONG ?? '') === '' ? 2 : Number.POSITIVE_INFINITY;
/** Two chunks. */
const rowsThere = 210;

/** When what the dead hold has ended. */
const past = new Date(0);

interface Progress {
  readonly step: number;
  readonly looked: number;
  readonly changed: number;
}

/** The collections of one run. */
interface Names {
  readonly rows: string;
  readonly added: string;
  readonly empty: string;
}

const open = { schema: { additionalProperties: true }, rules: { read: 'public' as const } };
const rows = Array.from({ length: rowsThere }, (_, n) => ({ n, half: n % 2 === 0 }));

const defaults = { ...open, onErase: 'keep', scans: 'refuse' } as const;

/** It can be taken back, definitions and all. */
const reversible = (of: Names): Step[] => [
  { define: { ...defaults, collection: of.added, indexes: [{ keys: { at: 1 } }] } },
  {
    define: {
      ...defaults,
      collection: of.rows,
      schema: { properties: { half: { type: 'boolean' } }, additionalProperties: true },
      indexes: [{ keys: { half: 1 } }],
    },
  },
  { change: { collection: of.rows, operators: { $rename: { n: 'number' } } } },
];

/** What is done twice shows. */
const irreversible = (of: Names): Step[] => [
  { change: { collection: of.rows, operators: { $inc: { n: 1_000 } } } },
  { remove: { collection: of.rows, filter: { half: true } } },
  { drop: { collection: of.empty } },
];

describe(`a migration whose process is killed at a write (CAUSEWAY_TEST_SEED=${seed})`, () => {
  let data: TestData;
  let replica: TestReplica;
  let admin: Person;
  let run = 0;

  before(async () => {
    data = await openTestData();
    replica = await data.replica();
  });
  after(() => data.stop());

  const call = async (methodAndPath: string, body?: unknown, type = 'application/json') => {
    const options = { token: admin.token, type, ...(body === undefined ? {} : { body }) };
    const answer = await replica.call(methodAndPath, options);
    assert.ok(answer.status < 300, `${methodAndPath}: ${answer.text}`);
    return answer.body;
  };
  /** Everything that MongoDB holds of a collection but for times: nothing where there is none. */
  const stateOf = async (name: string) => {
    const definition = await data.db
      .collection<{ _id: string; name: string; definition: object }>(definitionsCollection)
      .findOne({ name });
    if (definition === null) return undefined;
    const records = data.db.collection<{ fields: Record<string, unknown>; revision: number }>(
      `records_${definition._id}`,
    );
    const found = await records.find().sort({ _id: 1 }).toArray();
    const indexes = (await records.indexes()).map((each) => String(each.name)).toSorted();
    const change = await data.db
      .collection<{ _id: string; until?: Date }>(changesCollection)
      .findOne({ _id: definition._id });
    return {
      definition: definition.definition,
      indexes,
      records: found.map(({ fields }) => fields),
      revisions: [...new Set(found.map(({ revision }) => revision))],
      held: (change?.until ?? past) > past,
    };
  };

  /** Collections as they are before. */
  const prepare = async (): Promise<{ readonly of: Names; readonly name: string }> => {
    run += 1;
    // A long run is longer than a token lasts.
    admin = await data.person({ roles: ['admin'] });
    const of = { rows: `rows${run}`, added: `added${run}`, empty: `empty${run}` };
    await call(`PUT /v1/collections/${of.rows}`, open);
    await call(`PUT /v1/collections/${of.empty}`, open);
    const lines = rows.map((each) => JSON.stringify(each)).join('\n');
    await call(`POST /v1/data/${of.rows}`, lines, 'application/x-ndjson');
    return { of, name: `${String(run).padStart(4, '0')}-killed` };
  };

  /** A process that makes it, or reverts it. @returns its writes; undefined where it was killed */
  const inProcess = async (job: MigrationJob): Promise<readonly string[] | undefined> => {
    const file = path.resolve(import.meta.dirname, '../testing/migration-writes-child.ts');
    const child = fork(file, [data.redisPrefix, JSON.stringify(job)], { execArgv: ['--conditions=development'] });
    let writes: readonly string[] | undefined;
    child.once('message', (told: readonly string[]) => (writes = told));
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
    if (signal === 'SIGKILL') return undefined;
    assert.equal(code, 0, `it ended by itself: ${signal}`);
    return writes ?? assert.fail('it has not told its writes');
  };

  /** Waits for whoever takes it over, not for what the dead hold, and sees it never go back. */
  const settled = async (name: string): Promise<string> => {
    await data.db.collection('migrating').updateMany({}, { $set: { until: past } });
    await data.db.collection(changesCollection).updateMany({ until: { $exists: true } }, { $set: { until: past } });
    const bound = performance.now() + 60_000;
    let last: Progress = { step: 0, looked: 0, changed: 0 };
    while (performance.now() < bound) {
      const migration = await call(`GET /v1/migrations/${name}`);
      const { status, progress } = migration as unknown as { status: string; progress: Progress };
      const isOn = progress.step > last.step || (progress.step === last.step && progress.looked >= last.looked);
      assert.ok(isOn && progress.changed >= last.changed, `${JSON.stringify(progress)} after ${JSON.stringify(last)}`);
      last = progress;
      if (status !== 'running' && status !== 'reverting') return status;
      await delay(50);
    }
    return assert.fail(`${name} does not come to an end`);
  };

  /** What follows from a migration's last beginning, each event once: how many of which type. */
  const told = async (name: string, direction: 'up' | 'down', least: number): Promise<Record<string, number>> => {
    const published = await data.published();
    const subject = `migration/${name}`;
    const isOwn = (type: string) => (event: (typeof published.all)[number]) =>
      event.subject === subject &&
      event.type === type &&
      (event.data as { readonly direction: string }).direction === direction;
    const ends = await published.waitFor(isOwn('data.migration.ended'));
    const begins = published.all.filter(isOwn('data.migration.begun'));
    assert.deepEqual([begins.length, ends.length], [1, 1]);
    const [begun = assert.fail()] = begins;
    const isAfter = ({ causationid, type }: (typeof published.all)[number]) =>
      causationid === begun.id && type !== 'data.migration.ended';
    const events = await published.waitFor(isAfter, least);
    assert.equal(new Set(events.map(({ type, subject: of }) => `${type} ${of}`)).size, events.length, 'told once');
    const counts: Record<string, number> = {};
    for (const { type } of events) counts[type] = (counts[type] ?? 0) + 1;
    return counts;
  };

  /** Where to kill: once at each kind of write, at some time and moment, in an order that the seed decides. */
  const killings = (writes: readonly string[]): Killing[] => {
    const kinds = [...new Set(writes)];
    const all = kinds.map((write): Killing => {
      const times = writes.filter((each) => each === write).length;
      return { write, nth: 1 + below(times), moment: pick(['before', 'sent', 'after']) };
    });
    for (let at = all.length - 1; at > 0; at -= 1) {
      const to = below(at + 1);
      [all[at], all[to]] = [all[to] ?? assert.fail(), all[at] ?? assert.fail()];
    }
    return all.slice(0, mostKills);
  };

  const demandApplied = async (of: Names, name: string): Promise<void> => {
    const state = (await stateOf(of.rows)) ?? assert.fail('its records are gone');
    assert.deepEqual(
      state.records,
      rows.map(({ n, half }) => ({ half, number: n })),
    );
    assert.deepEqual([state.revisions, state.held], [[2], false]);
    const { indexes } = (await stateOf(of.added)) ?? assert.fail('there is none');
    for (const all of [state.indexes, indexes]) assert.equal(all.length, 3, all.join(' '));
    assert.deepEqual(await told(name, 'up', rowsThere + 2), {
      'data.collection.created': 1,
      'data.collection.updated': 1,
      'data.record.updated': rowsThere,
    });
  };

  const demandReverted = async (of: Names, name: string, was: Awaited<ReturnType<typeof stateOf>>): Promise<void> => {
    assert.deepEqual(await stateOf(of.rows), { ...was, revisions: [3] });
    assert.equal(await stateOf(of.added), undefined);
    assert.deepEqual(await told(name, 'down', rowsThere + 2), {
      'data.collection.deleted': 1,
      'data.collection.updated': 1,
      'data.record.updated': rowsThere,
    });
  };

  const demandRemoved = async (of: Names, name: string): Promise<void> => {
    const state = await stateOf(of.rows);
    const left = rows.filter(({ half }) => !half);
    assert.deepEqual(
      state?.records,
      left.map((each) => ({ ...each, n: each.n + 1_000 })),
    );
    assert.deepEqual(state.revisions, [2]);
    assert.equal(await stateOf(of.empty), undefined);
    assert.deepEqual(await told(name, 'up', rowsThere + rowsThere - left.length + 1), {
      'data.record.updated': rowsThere,
      'data.record.deleted': rowsThere - left.length,
      'data.collection.deleted': 1,
    });
  };

  /** Makes or reverts one whole, then others that are killed, and looks at what has become of each. */
  const killed = async (
    context: TestContext,
    begin: () => Promise<{ readonly job: MigrationJob; readonly name: string; readonly demand: () => Promise<void> }>,
    outcome: string,
  ): Promise<void> => {
    const whole = await begin();
    const writes = (await inProcess(whole.job)) ?? assert.fail('nobody was to be killed');
    assert.equal(await settled(whole.name), outcome);
    await whole.demand();
    for (const kill of killings(writes)) {
      const { job, name, demand } = await begin();
      const place = `${kill.moment} ${kill.write}, the ${kill.nth}th`;
      context.diagnostic(`${name}: ${place}`);
      assert.equal(await inProcess({ ...job, kill }), undefined, `nobody was killed ${place}`);
      try {
        assert.equal(await settled(name), outcome);
        await demand();
      } catch (error) {
        throw new Error(`${name}, killed ${place}`, { cause: error });
      }
    }
  };

  it('while it defines and changes goes on at another, and has done everything once', async (context) => {
    const begin = async () => {
      const { of, name } = await prepare();
      const was = await stateOf(of.rows);
      const demand = async (): Promise<void> => {
        await demandApplied(of, name);
        // What it has noted of what was there before has to be that, whoever has gone on with it.
        await call(`POST /v1/migrations/${name}/revert`);
        assert.equal(await settled(name), 'reverted');
        await demandReverted(of, name, was);
      };
      return { job: { make: { name, steps: reversible(of) } }, name, demand };
    };
    await killed(context, begin, 'applied');
  });

  it('while it is reverted leaves what there was before', async (context) => {
    const begin = async () => {
      const { of, name } = await prepare();
      const was = await stateOf(of.rows);
      await call('POST /v1/migrations', { name, steps: reversible(of) });
      assert.equal(await settled(name), 'applied');
      return { job: { revert: name }, name, demand: () => demandReverted(of, name, was) };
    };
    await killed(context, begin, 'reverted');
  });

  it('while it removes records, and a collection, goes on at another, and has done everything once', async (context) => {
    const begin = async () => {
      const { of, name } = await prepare();
      const job = { make: { name, steps: irreversible(of) } };
      return { job, name, demand: () => demandRemoved(of, name) };
    };
    await killed(context, begin, 'applied');
  });
});
