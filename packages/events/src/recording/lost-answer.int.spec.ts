import type { EventEnvelope } from '@causeway/contracts';
import assert from 'node:assert/strict';
import process from 'node:process';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { MongoClient } from 'mongodb';

import { linkProxy, type LinkProxy, type LosingWrites } from '../faults/link-proxy.ts';
import { eventLog, type LoggedEvent } from '../log/event-log.ts';
import { eventually, noteEvents, openWorld, testCause, type Note, type TestWorld } from '../testing/test-events.ts';
import type { RecordedCollection } from './recorded-collection.ts';
import { draft } from './recorded-document.ts';

describe('a write whose answer is lost', () => {
  let world: TestWorld;
  let link: LinkProxy;
  let client: MongoClient;
  /** Of a replica whose connections lose answers; and of one that is well, and publishes. */
  let notes: RecordedCollection<Note>;
  let rivals: RecordedCollection<Note>;
  let contracts: ReturnType<typeof noteEvents>;
  let decided: number;

  before(async () => {
    world = await openWorld();
    contracts = noteEvents(world.service);
    const url = new URL(process.env.MONGODB_URL ?? '');
    link = await linkProxy(url.hostname, Number(url.port));
    url.port = String(link.port);
    url.searchParams.set('directConnection', 'true');
    client = await MongoClient.connect(url.href, { appName: `${world.service}-lossy` });
    const well = world.replica();
    await well.start();
    await world.follow();
    rivals = well.collection<Note>('notes', { thing: 'note' });
    // Not started: it writes, and nothing else.
    notes = world.replica({ client }).collection<Note>('notes', { thing: 'note' });
  });
  beforeEach(() => {
    decided = 0;
  });
  afterEach(() => link.mend());
  after(async () => {
    await world.end();
    await client.close();
    await link.close();
  });

  const create = (id: string) =>
    rivals.create(testCause(), { _id: id, state: { text: '' }, event: draft(contracts.created, { text: '' }) });

  const append = (to: RecordedCollection<Note>, id: string, letter: string) =>
    to.update(testCause(), id, ({ text }) => {
      if (to === notes) decided += 1;
      const state = { text: text + letter };
      return { state, event: draft(contracts.updated, state) };
    });

  const logged = async (id: string): Promise<EventEnvelope[]> => {
    const log = client.db(world.database).collection<LoggedEvent>(eventLog);
    const rows = await log
      .find({ 'event.subject': `note/${id}` })
      .sort({ 'event.sequence': 1 })
      .toArray();
    return rows.map(({ event }) => event);
  };

  /** The document has the letters of both writers once, and the log an event for each, of which the first writer has got its own. */
  const carriedOutOnce = async (id: string, written: EventEnvelope | undefined, text: string): Promise<void> => {
    const events = await eventually('all of its events', async () => {
      const found = await logged(id);
      return (await rivals.native.findOne({ _id: id }))?.outbox.length === 0 ? found : undefined;
    });
    assert.equal((await rivals.native.findOne({ _id: id }))?.text, text);
    assert.equal(events.length, 1 + text.length);
    assert.equal(events.filter(({ id: each }) => each === written?.id).length, 1);
  };

  /** Loses the answers to a write and to the driver's own second try of it, to which MongoDB answers as to the first. */
  const losingTwo = (made?: (nth: number) => Promise<unknown> | undefined): LosingWrites => {
    let lost = 0;
    return () => {
      lost += 1;
      const nth = lost;
      return nth > 2 ? undefined : { made: () => made?.(nth) };
    };
  };

  it('is found in the outbox where a rival has written since', async () => {
    await create('outbox');
    link.loseAnswers(losingTwo((nth) => (nth === 1 ? append(rivals, 'outbox', 'r') : undefined)));
    const written = await append(notes, 'outbox', 'a');
    assert.equal(decided, 1);
    await carriedOutOnce('outbox', written?.event, 'ar');
  });

  it('is found in the log where a rival has written since, and all is published', async () => {
    await create('log');
    const publish = async (): Promise<void> => {
      await append(rivals, 'log', 'r');
      await eventually('an empty outbox', async () => {
        const { outbox } = (await rivals.native.findOne({ _id: 'log' })) ?? {};
        return outbox?.length === 0 ? true : undefined;
      });
    };
    link.loseAnswers(losingTwo((nth) => (nth === 1 ? publish() : undefined)));
    const written = await append(notes, 'log', 'a');
    assert.equal(decided, 1);
    await carriedOutOnce('log', written?.event, 'ar');
  });

  it('is found where it comes late, just before it is made again, and a rival writes after it', async () => {
    await create('late');
    const arrive = Promise.withResolvers<undefined>();
    const arrived = Promise.withResolvers<undefined>();
    const rival = async (): Promise<void> => {
      await append(rivals, 'late', 'r');
      arrived.resolve(undefined);
    };
    let writes = 0;
    link.loseAnswers(async () => {
      writes += 1;
      // The first one and its repetition are on their way until it is made anew, and that waits for them.
      if (writes <= 2) return { late: arrive.promise, ...(writes === 1 ? { made: rival } : {}) };
      arrive.resolve(undefined);
      await arrived.promise;
      return undefined;
    });
    const written = await append(notes, 'late', 'a');
    assert.equal(writes, 3);
    await carriedOutOnce('late', written?.event, 'ar');
  });

  it('is no conflict where it may still be made: nobody can tell', async () => {
    await create('open');
    const arrive = Promise.withResolvers<undefined>();
    link.loseAnswers(() => ({ late: arrive.promise }));
    await assert.rejects(append(notes, 'open', 'a'), (error) => (error as { status?: number }).status === 503);
    arrive.resolve(undefined);
    await eventually('the late write', async () => {
      const { text } = (await rivals.native.findOne({ _id: 'open' })) ?? {};
      return text === 'a' ? true : undefined;
    });
    assert.equal((await rivals.native.findOne({ _id: 'open' }))?.revision, 2);
  });
});
