import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';

import { recordCreated } from '@causeway/contracts';
import type { LoggedEvent } from '@causeway/events';
import { MongoClient, MongoServerError } from 'mongodb';
import type { Collection as MongoCollection, Db } from 'mongodb';

import type { Collection } from '../../collections/collection-registry.ts';
import type { Definition, DefinitionDocument } from '../../collections/collection.model.ts';
import { definitionsCollection } from '../../collections/collection.model.ts';
import { parseDefinition } from '../../collections/parse-definition.ts';
import type { LookTime } from '../../pacing/look-time.ts';
import { OutOfTime } from '../../pacing/look-time.ts';
import { createPlaces } from '../../pacing/places.ts';
import type { RecordDocument } from '../../records/record.model.ts';
import type { ReadLogOptions } from './read-log.ts';
import { readLog } from './read-log.ts';
import type { Trial } from './run-trial.ts';
import { runTrial } from './run-trial.ts';
import type { TrialPlaces } from './surroundings.ts';
import { trialAnswer } from './trial-answer.ts';
import { createTryRules } from './try-rules.ts';

/** Records, and as many events: two chunks and a half. */
const count = 250;
const chunk = 100;
const collectionId = 'col_1';
const body = { records: 1_000, events: 1_000 };
const times = Array.from({ length: count }, (_, n) => new Date(Date.UTC(2026, 0, 1, 0, 0, n)));

const stored = (read: 'public' | readonly object[]) =>
  ({
    ...{ schema: { properties: { owner: { type: 'string' } } }, indexes: [] },
    rules: { read, create: 'signed-in' },
  }) satisfies Definition;
const sideOf = (definition: Definition) => ({ ...parseDefinition(definition), cipher: undefined });

/** A time that is up once it has been asked about so often; what is asked of its parts is none of its own. */
function countdown(left: number, partOf: (share: number) => LookTime = () => countdown(Infinity)): LookTime {
  let asked = 0;
  return {
    leftMs: () => 60_000,
    demand() {
      asked += 1;
      if (asked > left) throw new OutOfTime();
    },
    part: partOf,
  };
}

describe('a trial of rules', () => {
  let client: MongoClient;
  let db: Db;
  let records: MongoCollection<RecordDocument>;
  let log: MongoCollection<LoggedEvent>;

  before(async () => {
    client = await MongoClient.connect(process.env.MONGODB_URL ?? '');
    db = client.db(`trial-bounds-${randomUUID().slice(0, 8)}`);
    records = db.collection('records');
    log = db.collection('events');
    const rows = times.map((at, n) => {
      const [id, fields] = [`rec_${String(n).padStart(4, '0')}`, { owner: `usr_${n}` }];
      return { id, fields, at, n };
    });
    await records.insertMany(
      rows.map(
        ({ id, fields, at }) =>
          ({ _id: id, revision: 1, fields, createdAt: at, updatedAt: at }) as unknown as RecordDocument,
      ),
    );
    await log.insertMany(rows.map(({ id, fields, at, n }) => loggedOf(n, { id, fields, at, collectionId })));
  });
  after(async () => {
    await db.dropDatabase();
    await client.close();
  });

  const places = (time: LookTime, reading: TrialPlaces['reading'] = (read) => read({})): TrialPlaces => ({
    ...{ db, log, records, reading, time },
  });
  const sides = {
    id: collectionId,
    present: sideOf(stored('public')),
    tried: sideOf(stored([{ owner: { $auth: 'sub' } }])),
  };
  const asked = { sides, body: { ...body, who: ['anonymous' as const] }, at: new Date() };
  const lost = ({ callers: [first] }: Trial): number => first?.read.losses.count ?? 0;
  /** With more and more time, until there is enough. */
  const untilComplete = async (attempt: (left: number) => Promise<Trial>, check: (tried: Trial) => void) => {
    for (let left = 0; left < 1_000; left += 1) {
      const tried = await attempt(left);
      if (tried.complete) return;
      check(tried);
    }
    assert.fail('there was never enough time');
  };

  it('says of all that there is, where there is time', async () => {
    const whole = await runTrial(places(countdown(Infinity)), asked);
    assert.equal(whole.complete, true);
    assert.deepEqual(whole.records, { looked: count, more: false, tooCostly: 0 });
    assert.deepEqual([whole.events.looked, whole.events.ended, lost(whole)], [count, 'beginning', count]);
  });

  it('says what it has where the time for records is up, and looks at events all the same', async () => {
    const seen = new Set<number>();
    const attempt = (left: number): Promise<Trial> => {
      const ofRecords = countdown(left);
      return runTrial(places(countdown(Infinity, (share) => (share > 0.5 ? ofRecords : countdown(0)))), asked);
    };
    await untilComplete(attempt, (tried) => {
      const { looked, more, tooCostly } = tried.records;
      assert.deepEqual([more, tooCostly, looked % chunk], [true, 0, 0]);
      // What is said of a chunk that was not gone through to its end is said of fewer.
      assert.ok(lost(tried) >= looked && lost(tried) <= looked + chunk, `${lost(tried)} of ${looked}`);
      assert.deepEqual([tried.events.looked, tried.events.ended], [count, 'beginning']);
      seen.add(looked);
    });
    assert.deepEqual(
      [...seen].sort((one, other) => one - other),
      [0, chunk, 2 * chunk],
    );
  });

  it('says of how many events it has looked at where the time is up between them', async () => {
    const seen = new Set<number>();
    await untilComplete(
      (left) => runTrial(places(countdown(left)), asked),
      (tried) => {
        const { looked, since, ended, calls } = tried.events;
        assert.equal(ended, 'time');
        assert.ok(looked % chunk === 0 || looked === count, `${looked} are no whole chunks`);
        assert.equal(since, times[count - looked]?.toISOString() ?? null);
        assert.equal(calls.create.judged, looked);
        assert.deepEqual(tried.records, { looked: count, more: false, tooCostly: 0 });
        seen.add(looked);
      },
    );
    // After all of them the time may be up once more, before it has seen that the log begins there.
    seen.delete(count);
    assert.deepEqual(
      [...seen].sort((one, other) => one - other),
      [0, chunk, 2 * chunk],
    );
  });

  it('compares those whom it has found where the time for finding people is up', async () => {
    const ofPeople = (left: number): LookTime => {
      // A part of the part is for events: the latest are looked at first.
      const people = countdown(left, () => countdown(0));
      return countdown(Infinity, (share) => (share < 0.15 ? countdown(0) : share < 0.5 ? people : countdown(Infinity)));
    };
    const found = { ...asked, body };
    for (const [left, most] of [
      [0, 0],
      [2, chunk],
    ] as const) {
      const tried = await runTrial(places(ofPeople(left)), found);
      assert.equal(tried.complete, false);
      assert.ok((tried.people?.found ?? Infinity) <= most, JSON.stringify(tried.people));
      assert.deepEqual([tried.records.looked, tried.events.looked], [count, count]);
    }
  });

  it('takes it for the end of its time where MongoDB says so, and nothing else', async () => {
    const failing = (code: number) => () => Promise.reject(new MongoServerError({ message: 'operation failed', code }));
    const tried = await runTrial(places(countdown(Infinity), failing(50)), asked);
    assert.deepEqual([tried.complete, tried.records], [false, { looked: 0, more: true, tooCostly: 0 }]);
    await assert.rejects(runTrial(places(countdown(Infinity), failing(13)), asked), MongoServerError);
  });

  it('is answered where there is no time at all', async () => {
    const source = stored('public');
    const native = {
      ...sideOf(source),
      id: collectionId,
      name: 'notes',
      revision: 7,
      source,
      records: { native: records },
    };
    const tryRules = createTryRules({
      events: { db, log: { collection: log } } as unknown as Parameters<typeof createTryRules>[0]['events'],
      definitions: { native: db.collection<DefinitionDocument>(definitionsCollection) },
      findCurrent: () => Promise.resolve(native as unknown as Collection),
      client,
      places: createPlaces({ limit: 1, busy: () => new Error('busy') }),
      now: () => new Date(),
      mostMs: 0,
    });
    const signal = new AbortController().signal;
    const tried = await tryRules({ collection: 'notes', rules: { read: [] }, ...body }, undefined, signal);
    const { complete, revision, wouldChange, people, events } = trialAnswer.parse(tried);
    assert.deepEqual([complete, revision, wouldChange, people?.found], [false, 7, true, 0]);
    assert.deepEqual([tried.records.looked, tried.records.more, events.ended, events.since], [0, true, 'time', null]);
    await tryRules({ collection: 'notes', ...body }, undefined, signal);
  });

  describe('that looks for events behind those of other collections', () => {
    /** How many it finds, and why no earlier ones. */
    const lookFor = async (options: Partial<ReadLogOptions>): Promise<readonly [number, string]> => {
      const look = readLog({ log, collectionId, most: 1_000, time: countdown(Infinity), ...options });
      let found = 0;
      for (;;) {
        const next = await look.next();
        if (next.done === true) return [found, next.value];
        found += next.value.length;
      }
    };

    it('finds the latest, as many as are asked for', async () => {
      assert.deepEqual(await lookFor({ most: 120, stretches: { each: 50, most: 1_000 } }), [120, 'enough']);
      assert.deepEqual(await lookFor({ most: count, stretches: { each: 50, most: 1_000 } }), [count, 'enough']);
      assert.deepEqual(await lookFor({ most: 0 }), [0, 'enough']);
    });

    it('comes to the beginning, wherever a stretch ends', async () => {
      for (const each of [7, 125, 249, 250, 251]) {
        assert.deepEqual(await lookFor({ stretches: { each, most: 1_000 } }), [count, 'beginning'], String(each));
      }
      assert.deepEqual(await lookFor({ collectionId: 'col_2' }), [0, 'beginning']);
    });

    it('gives up behind so many, and says so', async () => {
      assert.deepEqual(await lookFor({ stretches: { each: 50, most: 100 } }), [100, 'too-far']);
      assert.deepEqual(await lookFor({ collectionId: 'col_2', stretches: { each: 50, most: 200 } }), [0, 'too-far']);
    });
  });
});

interface LoggedRecord {
  readonly id: string;
  readonly fields: object;
  readonly at: Date;
  readonly collectionId: string;
}

const loggedOf = (n: number, { id, fields, at, collectionId: of }: LoggedRecord): LoggedEvent => {
  const eventId = `evt_${String(n).padStart(4, '0')}`;
  const event = {
    ...{ specversion: '1.0', id: eventId, type: recordCreated.type, source: '/causeway/data' },
    ...{ subject: `record/${id}`, sequence: '0000000000000001', time: at.toISOString() },
    ...{ authtype: 'app_user', authid: 'usr_0', data: { collectionId: of, collection: 'notes', fields } },
  };
  return { _id: eventId, slot: 0, pos: n + 1, at, event: event as unknown as LoggedEvent['event'] };
};
