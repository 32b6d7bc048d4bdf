import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { MongoClient, type CommandStartedEvent } from 'mongodb';

import { onEvent } from '../consumer/handler.ts';
import type { Events } from '../events.ts';
import { draft } from '../recording/recorded-document.ts';
import { eventually, noteEvents, openWorld, testCause, type Note, type TestWorld } from '../testing/test-events.ts';

const reads = new Set(['find', 'aggregate', 'count', 'distinct']);
const writes = new Set(['insert', 'update', 'delete', 'findAndModify']);

describe('what a failover could undo', () => {
  let world: TestWorld;
  let client: MongoClient;
  let events: Events;
  const commands: CommandStartedEvent[] = [];

  before(async () => {
    world = await openWorld();
    // As bare as may be: what is asked for below is asked for by this package.
    client = new MongoClient(process.env.MONGODB_URL ?? '', {
      appName: world.service,
      monitorCommands: true,
      readConcernLevel: 'local',
      writeConcern: { w: 1 },
    });
    await client.connect();
    client.on('commandStarted', (event) => {
      if (event.databaseName === world.database) commands.push(event);
    });
  });
  after(async () => {
    await world.end();
    await client.close();
  });

  it('is never read, and no write counts before it cannot be undone', async () => {
    const contracts = noteEvents(world.service);
    events = world.replica({
      client,
      handlers: [
        onEvent.transaction({
          name: 'echo',
          on: [contracts.created],
          async handle({ data: { text } }, { session, cause }) {
            const event = draft(contracts.echoed, { text });
            await notes.create(cause, { _id: `${text} echo`, state: { text }, event }, { session });
          },
        }),
      ],
    });
    const notes = events.collection<Note>('notes', { thing: 'note' });
    await events.start();
    const creation = { _id: 'n', state: { text: 'n' }, event: draft(contracts.created, { text: 'n' }) };
    const { event } = await notes.create(testCause(), creation);
    const change = { state: { text: 'm' }, event: draft(contracts.updated, { text: 'm' }) };
    await notes.update(testCause(), 'n', () => change);
    await eventually('its effect', async () =>
      (await events.effectsOf(event)).every(({ status }) => status === 'done') ? true : undefined,
    );
    await notes.delete(testCause(), 'n', () => draft(contracts.deleted, {}));
    await events.stop();

    const ofOurs = commands.filter(({ command }) => {
      const { txnNumber, autocommit } = command as { txnNumber?: unknown; autocommit?: unknown };
      // A transaction says once what all of it keeps to.
      return !(txnNumber !== undefined && autocommit === false);
    });
    const weakReads = ofOurs.filter(({ commandName, command }) => {
      const { readConcern } = command as { readConcern?: { level?: string } };
      // Of sizes MongoDB tells only what it has now.
      if (JSON.stringify(command).includes('$collStats')) return false;
      return reads.has(commandName) && !['majority', 'snapshot'].includes(readConcern?.level ?? '');
    });
    assert.deepEqual(
      weakReads.map(({ commandName, command }) => `${commandName} ${JSON.stringify(command).slice(0, 300)}`),
      [],
    );
    const weakWrites = ofOurs.filter(({ commandName, command }) => {
      const { writeConcern, [commandName]: target } = command as Record<string, unknown>;
      // The pull, and how far a slot has got: what of them is undone is only published twice.
      const isHint = (commandName === 'update' && JSON.stringify(command).includes('$pull')) || target === 'slots';
      return writes.has(commandName) && !isHint && (writeConcern as { w?: unknown } | undefined)?.w !== 'majority';
    });
    assert.deepEqual(
      weakWrites.map(({ commandName, command }) => `${commandName} ${JSON.stringify(command).slice(0, 300)}`),
      [],
    );
    const starts = commands.filter(({ command }) => 'startTransaction' in command);
    assert.ok(starts.length > 0);
    for (const { command } of starts)
      assert.equal((command as { readConcern?: { level?: string } }).readConcern?.level, 'snapshot');
    const commits = commands.filter(({ commandName }) => commandName === 'commitTransaction');
    for (const { command } of commits)
      assert.equal((command as { writeConcern?: { w?: unknown } }).writeConcern?.w, 'majority');
  });
});
