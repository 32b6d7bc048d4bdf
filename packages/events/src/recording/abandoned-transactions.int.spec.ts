import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { MongoClient } from 'mongodb';

import { onEvent } from '../consumer/handler.ts';
import type { HandledRow } from '../consumer/inbox.ts';
import { eventually, noteEvents, openWorld, testCause, type Note, type TestWorld } from '../testing/test-events.ts';
import { draft } from './recorded-document.ts';

/** Claims an event in a transaction, as a handler does, says so, and does nothing more. */
const claimant = `
  import { MongoClient } from 'mongodb';
  const { url, appName, database, handler, event } = JSON.parse(process.argv[1]);
  const client = await MongoClient.connect(url, { appName });
  const session = client.startSession();
  session.startTransaction();
  const update = { $set: { status: 'done' } };
  await client.db(database).collection('handled').updateOne({ _id: { handler, event } }, update, { session, upsert: true });
  console.log('claimed');
  setInterval(() => undefined, 1000);
`;

describe('transactions that a process has left open', () => {
  let world: TestWorld;
  const url = process.env.MONGODB_URL ?? '';

  before(async () => {
    world = await openWorld();
  });
  after(() => world.end());

  /** Kills a process between its claim of an event and its commit. */
  const dieBetween = async (handler: string, event: string): Promise<void> => {
    const { service: appName, database } = world;
    const order = JSON.stringify({ url, appName, database, handler, event });
    const child = spawn(process.execPath, ['--input-type=module', '--eval', claimant, order], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const signal = AbortSignal.timeout(60_000);
    await once(createInterface({ input: child.stdout }), 'line', { signal });
    child.kill('SIGKILL');
    await once(child, 'exit', { signal });
  };

  it('are ended, so that what it had claimed has its effect soon, once; others are left alone', async (context) => {
    const contracts = noteEvents(world.service);
    const writer = world.replica();
    const notes = writer.collection<Note>('notes', { thing: 'note' });
    await writer.start();
    const state = { text: 'claimed' };
    const { event } = await notes.create(testCause(), { _id: 'n1', state, event: draft(contracts.created, state) });
    await writer.stop();
    await dieBetween('count', event.id);
    // Of somebody else, on the same server, and as old.
    const stranger = await MongoClient.connect(url, { appName: `not-${world.service}` });
    context.after(() => stranger.close());
    const session = stranger.startSession();
    session.startTransaction();
    await stranger.db(world.database).collection('theirs').insertOne({ open: true }, { session });

    let effects = 0;
    const count = onEvent.transaction({
      name: 'count',
      on: [contracts.created],
      async handle(_event, { session: own }) {
        await replica.db.collection('tally').insertOne({ counted: true }, { session: own });
        effects += 1;
      },
    });
    const replica = world.replica({ handlers: [count], abandonedAfterMs: 2_000 });
    await replica.start();
    // MongoDB itself would let it pass after 60 s.
    await eventually('the effect', async () => {
      const row = await replica.db
        .collection<HandledRow>('handled')
        .findOne({ _id: { handler: 'count', event: event.id } });
      return row?.status === 'done' ? row : undefined;
    });
    assert.equal(await replica.db.collection('tally').countDocuments(), 1);
    assert.ok(effects >= 1);
    await session.commitTransaction();
    assert.equal(await replica.db.collection('theirs').countDocuments(), 1);
  });
});
