import { Fault, newEventId, topicOf, type EventEnvelope } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';

import { followHandlers } from '../consumer/handler-registry.ts';
import { onEvent, type Handler } from '../consumer/handler.ts';
import type { HandledRow } from '../consumer/inbox.ts';
import { unreadable } from '../consumer/parking.ts';
import type { Events } from '../events.ts';
import type { RecordedCollection } from '../recording/recorded-collection.ts';
import { draft } from '../recording/recorded-document.ts';
import { forgetEvents } from '../testing/forget-events.ts';
import {
  drivers,
  eventually,
  noteEvents,
  openWorld,
  testCause,
  type Note,
  type TestWorld,
} from '../testing/test-events.ts';
import { createCatchUpRows, type CatchUpRow } from './catch-up-rows.ts';

interface Tally {
  readonly _id: string;
  readonly texts: readonly string[];
}

const ids = Array.from({ length: 12 }, (_, index) => `n${index}`);
/** Of each, before the handlers come. */
const already = 6;

for (const driver of drivers) {
  describe(`a handler that begins with the beginning, on ${driver}`, () => {
    let world: TestWorld;
    let events: Events;
    let notes: RecordedCollection<Note>;
    let contracts: ReturnType<typeof noteEvents>;
    /** How long `late` takes, so that something can happen meanwhile; milliseconds. */
    let slow = 0;
    /** Text by text, what was written of each note. */
    const written = new Map<string, string[]>();

    const tallyTo = (name: string, more: Partial<Parameters<typeof onEvent.transaction>[0]> = {}): Handler =>
      onEvent.transaction({
        ...more,
        name,
        on: [contracts.created, contracts.updated],
        async handle({ subject, data: { text } }, { session }) {
          if (name !== 'tally') await delay(slow);
          // In the order of its effects; an effect that took place twice would stand there twice.
          await world.client
            .db(world.database)
            .collection<Tally>(name)
            .updateOne({ _id: subject }, { $push: { texts: text } }, { upsert: true, session });
        },
      });
    const old = () => [tallyTo('tally')];
    const copy = () =>
      onEvent.projection({
        name: 'copy',
        on: [contracts.created, contracts.updated],
        from: 'beginning',
        collection: 'copies',
        project: ({ subject, data: { text } }) => ({ _id: subject, set: { text } }),
      });
    const all = () => [tallyTo('tally', { from: 'beginning' }), tallyTo('late', { from: 'beginning' }), copy()];
    const replica = (handlers: Handler[]): Events => {
      const made = world.replica({ handlers });
      notes = made.collection<Note>('notes', { thing: 'note' });
      return made;
    };
    const write = async (id: string): Promise<EventEnvelope> => {
      const texts = written.get(id) ?? [];
      const text = `${id} ${texts.length}`;
      written.set(id, [...texts, text]);
      if (texts.length === 0) {
        const creation = { _id: id, state: { text }, event: draft(contracts.created, { text }) };
        return (await notes.create(testCause(), creation)).event;
      }
      const decide = () => ({ state: { text }, event: draft(contracts.updated, { text }) });
      return (await notes.update(testCause(), id, decide))?.event ?? assert.fail();
    };
    const writeAll = async (times: number): Promise<EventEnvelope[]> => {
      const found: EventEnvelope[] = [];
      for (let time = 0; time < times; time += 1) found.push(...(await Promise.all(ids.map(write))));
      return found;
    };
    const tallies = async (name: string): Promise<Map<string, readonly string[]>> => {
      const found = await world.client.db(world.database).collection<Tally>(name).find().toArray();
      return new Map(found.map(({ _id, texts }) => [_id.slice('note/'.length), texts]));
    };
    const countOf = async (name: string): Promise<number> =>
      [...(await tallies(name)).values()].reduce((sum, texts) => sum + texts.length, 0);
    const wanted = (): number => [...written.values()].reduce((sum, texts) => sum + texts.length, 0);
    const until = (name: string, count = wanted()) =>
      eventually(`${count} effects of ${name}`, async () => ((await countOf(name)) >= count ? true : undefined));
    const rows = () => world.client.db(world.database).collection<CatchUpRow>('catchups');
    const finished = () =>
      // Where replicas come and go, the group may wait for one of them for as long as a session lasts.
      eventually(
        'the end of the catch-ups',
        async () => {
          const found = await rows().find().toArray();
          // 4 partitions of each of two handlers: `tally` was there before.
          return found.length === 8 && found.every(({ finishedAt }) => finishedAt !== undefined) ? found : undefined;
        },
        60_000,
      );
    /** Everything that was written, once, in its order. */
    const whole = async (name: string): Promise<void> => {
      await until(name);
      assert.deepEqual(Object.fromEntries(await tallies(name)), Object.fromEntries(written));
    };
    const copied = async (): Promise<void> => {
      for (const [id, texts] of written) {
        const copies = world.client.db(world.database).collection<{ _id: string; text: string }>('copies');
        await eventually(`the copy of ${id}`, async () =>
          (await copies.findOne({ _id: `note/${id}` }))?.text === texts.at(-1) ? true : undefined,
        );
      }
    };

    beforeEach(async () => {
      slow = 0;
      written.clear();
      world = await openWorld(driver);
      contracts = noteEvents(world.service);
      events = replica(old());
      await events.start();
      await writeAll(already);
      await until('tally');
      await events.stop();
    });
    afterEach(() => world.end());

    it('has all that Kafka has forgotten, in order and once, and what is written meanwhile', async () => {
      const brokers = (process.env.KAFKA_BROKERS ?? '').split(',');
      const groupId = `causeway-${world.service}`;
      await forgetEvents({ brokers, topic: topicOf(world.service), groupId, count: wanted() });
      // Each subject has six of these, one after the other: far longer than twelve writes take.
      slow = 3_000;
      events = replica(all());
      await events.start();
      await until('late', 1);
      await writeAll(1);
      assert.ok((await countOf('late')) < wanted(), 'it is still at it');
      slow = 5;
      await writeAll(5);
      await finished();
      await writeAll(2);
      await whole('late');
      await whole('tally');
      await copied();
    });

    it('keeps order where replicas come and go while it goes on and others write', async () => {
      slow = 10;
      let writing = true;
      const stable = replica(all());
      events = stable;
      await stable.start();
      const writer = (async () => {
        while (writing) {
          await writeAll(1);
          await delay(200);
        }
      })();
      for (let round = 0; round < 2; round += 1) {
        const guest = world.replica({ handlers: all() });
        guest.collection<Note>('notes', { thing: 'note' });
        await guest.start();
        await delay(300);
        await guest.stop();
      }
      slow = 0;
      writing = false;
      await writer;
      await finished();
      await writeAll(1);
      await whole('late');
      await whole('tally');
      await copied();
    });

    // What follows asks nothing of the driver.
    if (driver !== 'platformatic') return;

    it('goes on at another replica, from about where it was', async () => {
      slow = 20;
      events = replica(all());
      const first = events;
      await first.start();
      await until('late', 10);
      const second = replica(all());
      await second.start();
      await writeAll(1);
      await until('late', 20);
      await first.stop();
      const unfinished = { '_id.handler': 'late', finishedAt: { $exists: false } };
      events = second;
      await writeAll(1);
      slow = 0;
      await finished();
      await writeAll(1);
      assert.equal(await rows().countDocuments(unfinished), 0);
      await whole('late');
      await copied();
    });

    it('does not make others wait', async () => {
      slow = 3_000;
      events = replica(all());
      await events.start();
      await until('late', 1);
      const last = (await writeAll(1)).at(-1);
      await until('tally');
      const row = { _id: { handler: 'late', event: last?.id ?? '' } };
      assert.equal(await events.db.collection<HandledRow>('handled').findOne(row), null);
      slow = 0;
      await whole('late');
    });

    it('has each effect once where nothing is known of how far it was', async () => {
      slow = 20;
      events = replica(all());
      await events.start();
      await until('late', 30);
      await events.stop();
      await rows().updateMany({ finishedAt: { $exists: false } }, { $set: { pos: 1 } });
      slow = 0;
      events = replica(all());
      await events.start();
      await writeAll(2);
      await finished();
      await whole('late');
    });

    describe('of a log that has lost its beginning', () => {
      const parked = async (): Promise<HandledRow[]> =>
        events.db.collection<HandledRow>('handled').find({ '_id.handler': unreadable }).toArray();
      /** What the log's retention does in five weeks, but for the last few of each slot. */
      const forget = async (keep: number): Promise<Map<number, number>> => {
        const firsts = new Map<number, number>();
        for (const slot of [0, 1, 2, 3]) {
          const { to } = await events.log.extent({ slot });
          await events.log.collection.deleteMany({ slot, pos: { $lte: to - keep } });
          firsts.set(slot, to - keep + 1);
        }
        return firsts;
      };

      it('says what it has not had where it had begun, and goes on with what is there', async () => {
        // Handlers in hand may finish at a stop, if they take no longer than this.
        slow = 2_000;
        events = replica(all());
        await events.start();
        await until('late', 4);
        await events.stop();
        const before = await rows().find({ '_id.handler': 'late' }).toArray();
        const had = await countOf('late');
        const firsts = await forget(2);
        slow = 0;
        events = replica(all());
        await events.start();
        await writeAll(1);
        await finished();
        const lost = before.flatMap(({ _id: { topic, partition }, pos }) => {
          const first = firsts.get(partition) ?? 0;
          return first > pos
            ? [{ place: `${topic}/${partition}/late/${pos}`, positions: `${pos} to ${first - 1}` }]
            : [];
        });
        assert.ok(lost.length > 0, 'the log has lost something that it has not had');
        const told = (await parked()).filter(({ _id }) => _id.event.includes('/late/'));
        assert.deepEqual(
          told.map(({ _id, status, error }) => [_id.event, status, error?.name]).sort(),
          lost.map(({ place }) => [place, 'parked', 'HistoryLost']).sort(),
        );
        for (const { place, positions } of lost) {
          const { error } = told.find(({ _id }) => _id.event === place) ?? assert.fail();
          assert.match(
            error?.message ?? '',
            new RegExp(`^late had not caught up, and the positions ${positions} of slot`),
          );
        }
        await eventually('what is there', async () => ((await countOf('late')) >= had + ids.length ? true : undefined));
      });

      it('begins with what there is where it had not, and misses nothing', async () => {
        events = world.replica();
        await forget(2);
        events = replica(all());
        await events.start();
        await finished();
        await writeAll(1);
        await until('late', ids.length);
        assert.deepEqual(await parked(), []);
      });
    });

    it('is answerable for every event; one that was there before, or begins now, is not begun anew', async () => {
      events = replica([...all(), tallyTo('fresh')]);
      await events.start();
      await finished();
      await whole('late');
      const registry = await followHandlers(world.kafka, () => undefined);
      await eventually('the registry', () => registry.ready || undefined);
      const since = new Map(
        registry
          .all()
          .filter(({ service }) => service === world.service)
          .map((each) => [each.handler, each.since]),
      );
      await registry.close();
      assert.equal(since.get('late'), new Date(0).toISOString());
      assert.ok((since.get('tally') ?? '') > '2020');
      assert.equal(await rows().countDocuments({ '_id.handler': { $in: ['tally', 'fresh'] } }), 0);
      assert.equal(await countOf('fresh'), 0);
      await writeAll(1);
      await until('fresh', ids.length);
      assert.equal(await countOf('fresh'), ids.length);
    });

    it('is not replayed meanwhile, and can be afterwards', async () => {
      slow = 3_000;
      events = replica(all());
      await events.start();
      await until('late', 1);
      const request = { handler: 'late', since: new Date(0), ratePerSecond: 1_000 };
      const ask = () => events.replays?.request(testCause(), request) ?? assert.fail();
      await assert.rejects(ask(), (error: unknown) => error instanceof Fault && error.code === 'catching-up');
      slow = 0;
      await finished();
      const { replay } = await ask();
      await eventually('its end', async () =>
        (await events.replays?.find(replay.id))?.status === 'ended' ? true : undefined,
      );
      await whole('late');
    });

    it('says at the start where it cannot reach the log', async () => {
      const foreign = noteEvents('elsewhere').created;
      const handler = onEvent.transaction({
        name: 'far',
        on: [foreign],
        from: 'beginning',
        handle: () => Promise.resolve(),
      });
      const stray = world.replica({ handlers: [handler] });
      await assert.rejects(stray.start(), /no way to the log behind causeway\.elsewhere was given/);
      await world.kafka.deleteTopics([topicOf('elsewhere')]);
      events = stray;
    });
  });
}

describe('the rows of catch-ups', () => {
  let world: TestWorld;
  before(async () => {
    world = await openWorld();
  });
  after(() => world.end());

  it('belong to the owner that came last', async () => {
    const rows = createCatchUpRows(world.client.db(world.database), () => new Date());
    const name = { handler: 'late', topic: 't', partition: 3 };
    assert.equal(await rows.take(name, 'first'), 0, 'it has not looked into the log yet');
    assert.equal(await rows.note(name, 'first', 40), true);
    assert.equal(await rows.take(name, 'second'), 40);
    assert.equal(await rows.note(name, 'first', 50), false);
    assert.equal(await rows.finish(name, 'first', 50), false, 'it passed over what the second one has to have');
    assert.deepEqual(await rows.unfinished(['late', 'other']), ['late']);
    assert.equal(await rows.finish(name, 'second', 60), true);
    assert.equal(await rows.finish(name, 'second', 60), true, 'an answer that was lost is asked for again');
    assert.equal(await rows.take(name, newEventId()), undefined);
    assert.deepEqual(await rows.unfinished(['late']), []);
  });
});
