import { defineEvent, Fault } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { MongoClient } from 'mongodb';
import { z } from 'zod';

import { onEvent } from '../consumer/handler.ts';
import type { Events } from '../events.ts';
import { createIdempotency } from '../idempotency/idempotency.ts';
import { eventually, noteEvents, openWorld, testCause, type Note, type TestWorld } from '../testing/test-events.ts';
import { watchCommands } from '../testing/watched-commands.ts';
import type { RecordedCollection } from './recorded-collection.ts';
import { draft } from './recorded-document.ts';

describe('what a failover could undo', () => {
  let world: TestWorld;
  let client: MongoClient;
  let events: Events;
  let notes: RecordedCollection<Note>;
  let others: RecordedCollection<Note>;
  /** How each kind of command is to be read or kept. */
  let kinds: ReadonlySet<string>;
  let contracts: ReturnType<typeof noteEvents>;
  const broken = new Set(['poison']);

  const declare = () => {
    const of = { version: 1, thing: 'timer', description: 'In a test.', data: { text: z.string() } };
    return { ...noteEvents(world.service), due: defineEvent({ ...of, type: `${world.service}.reminder.due` }) };
  };
  const handlers = ({ created, updated, echoed, due }: ReturnType<typeof declare>) => [
    onEvent.transaction({
      name: 'echo',
      on: [created],
      from: 'beginning',
      async handle({ data: { text } }, { session, cause }) {
        if (broken.has(text))
          throw new Fault({ code: 'bad', category: 'unprocessable', title: 'Bad', description: '' });
        await others.create(
          cause,
          { _id: `${text} echo`, state: { text }, event: draft(echoed, { text }) },
          { session },
        );
      },
    }),
    onEvent.batch({ name: 'many', on: [created], handle: () => Promise.resolve() }),
    onEvent.external({ name: 'mail', on: [created, due], handle: () => Promise.resolve() }),
    onEvent.projection({
      name: 'copy',
      on: [created, updated],
      collection: 'copies',
      project: ({ subject, data: { text } }) => ({ _id: subject, set: { text } }),
    }),
  ];
  const creation = (text: string) => ({ _id: text, state: { text }, event: draft(contracts.created, { text }) });
  const handled = (event: Parameters<Events['effectsOf']>[0], last: string) =>
    eventually(`all effects, one of them ${last}`, async () => {
      const all = (await events.effectsOf(event)).map(({ status }) => status);
      return all.includes(last as never) && !all.includes('pending') ? true : undefined;
    });
  const ended = (what: string, find: () => Promise<{ readonly endedAt?: string } | undefined> | undefined) =>
    eventually(`the end of ${what}`, async () => ((await find())?.endedAt === undefined ? undefined : true));

  const recordAndHandle = async (): Promise<void> => {
    const { event } = await notes.create(testCause(), creation('n'));
    const { event: bad } = await notes.create(testCause(), creation('poison'));
    await notes.createMany(testCause(), [creation('a'), creation('b')]);
    await notes.update(testCause(), 'a', () => ({
      state: { text: 'm' },
      event: draft(contracts.updated, { text: 'm' }),
    }));
    await notes.delete(testCause(), 'b', () => draft(contracts.deleted, {}));
    await others.create(testCause(), creation('reused'));
    await others.delete(testCause(), 'reused', () => draft(contracts.deleted, {}));
    await others.create(testCause(), creation('reused'));
    await handled(event, 'done');
    await handled(bad, 'parked');
    await events.findEvent(event.id);
    await events.causedBy(event);
    const redrives = events.redrives ?? assert.fail();
    await redrives.list({ limit: 10 });
    broken.clear();
    const { redrive } = await redrives.request(testCause(), { handler: 'echo', scope: 'subject', eventId: bad.id });
    await ended('a redrive', () => redrives.find(redrive.id));
  };
  const goThroughAgain = async (): Promise<void> => {
    const { replays, rebuilds } = events;
    await eventually('the end of the catch-ups', async () =>
      (await events.db.collection('catchups').countDocuments({ finishedAt: { $exists: true } })) === 4
        ? true
        : undefined,
    );
    const { replay } = (await replays?.request(testCause(), { since: new Date(0) })) ?? assert.fail();
    await ended('a replay', () => replays?.find(replay.id));
    const { rebuild } = (await rebuilds?.request(testCause(), 'copy')) ?? assert.fail();
    await ended('a rebuild', () => rebuilds?.find(rebuild.id));
  };
  const eraseAndSchedule = async (due: ReturnType<typeof declare>['due']): Promise<void> => {
    const schedule = (afterMs: number) => events.schedule(testCause(), { contract: due, data: { text: 't' }, afterMs });
    await schedule(0);
    const { timerId } = await schedule(60_000);
    await events.timerOf({ subject: `timer/${timerId}`, type: `${world.service}.timer.scheduled` });
    await events.unschedule(testCause(), timerId);
    await events.transaction((session) => events.persons.enter('usr_TEST', session));
    await events.persons.isErased('usr_TEST');
    await events.redaction.published();
    await events.redaction.ofSubjects(['note/b'], { cause: testCause(), isTimeUp: () => false });
    await events.redaction.ofPrincipal('usr_TEST', { isTimeUp: () => false });
    const { db, transaction } = events;
    const { run } = createIdempotency({ db, transaction, secret: randomBytes(32) });
    await run({ principal: 'usr_TEST', route: 'POST /notes', key: 'k', body: {} }, () => Promise.resolve({}));
  };

  before(
    async () => {
      world = await openWorld();
      // It asks for as little as may be: what is asked for below, this package asks for.
      client = new MongoClient(process.env.MONGODB_URL ?? '', {
        appName: world.service,
        monitorCommands: true,
        readConcernLevel: 'local',
        writeConcern: { w: 1 },
      });
      kinds = watchCommands(client, world.database);
      const declared = declare();
      contracts = declared;
      events = world.replica({ client, beacon: true, sampleMs: 200, reapMs: 200, handlers: handlers(declared) });
      notes = events.collection<Note>('notes', { thing: 'note' });
      others = events.collection<Note>('others', { thing: 'note', reusableIds: true });
      await events.start();
      await recordAndHandle();
      await goThroughAgain();
      await eraseAndSchedule(declared.due);
      await events.stop();
      // A change stream at less than majority is refused, and asked for again: then nothing starts.
    },
    { timeout: 60_000 },
  );
  after(async () => {
    await world.end();
    await client.close();
  });

  const of = (pattern: RegExp): string[] => [...kinds].filter((kind) => pattern.test(kind)).sort();

  it('is read by nobody: each read is one of what a majority has', () => {
    const decide = ['notes', 'events', 'handled', 'lanes', 'leases', 'tombstones', 'timers', 'persons', 'positions'];
    for (const each of decide) assert.ok(kinds.has(`find ${each}: reads majority`), `${each} was read`);
    assert.ok(kinds.has('aggregate 1 $changeStream: reads majority'));
    // Sizes are of what a member has: there is no majority of them.
    const weak = of(/: reads /).filter((kind) => !kind.endsWith(' majority') && !kind.includes('$collStats'));
    assert.deepEqual(weak, []);
  });

  it('is acknowledged to nobody: each write waits for a majority, but for those that may be undone', () => {
    const decide = ['insert notes', 'update notes', 'insert events', 'update handled', 'findAndModify leases'];
    for (const each of decide) assert.ok(kinds.has(`${each}: w majority`), `${each} was written`);
    const weak = of(/: w /).filter((kind) => !kind.endsWith(' majority'));
    // A pull, and how far a slot has got: what is undone of them is published twice.
    const mayBeUndone = (kind: string): boolean => kind.includes(' $pull: ') || kind.startsWith('update slots: ');
    assert.deepEqual(
      weak.filter((kind) => !mayBeUndone(kind)),
      [],
    );
  });

  it('is in no transaction: all that one reads is of one time that a majority has, and so is its commit', () => {
    const starts = of(/: transaction, /);
    assert.ok(starts.includes('update handled: transaction, reads snapshot'));
    assert.deepEqual(
      starts.filter((kind) => !kind.endsWith(' snapshot')),
      [],
    );
    assert.deepEqual(of(/^commitTransaction/), ['commitTransaction: w majority']);
  });
});
