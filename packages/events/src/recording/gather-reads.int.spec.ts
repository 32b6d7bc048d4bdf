import assert from 'node:assert/strict';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';
import { MongoClient, type Collection } from 'mongodb';

import { gatherReads } from './gather-reads.ts';

interface Thing {
  readonly _id: string;
  readonly name: string;
  readonly secret: string;
}

describe('reads that come at once', () => {
  let client: MongoClient;
  let things: Collection<Thing>;
  let commands: string[];

  before(async () => {
    client = await MongoClient.connect(process.env.MONGODB_URL ?? '', { monitorCommands: true });
    things = client.db(`gather-${process.pid}`).collection<Thing>('things');
    await things.insertMany(Array.from({ length: 150 }, (_, n) => ({ _id: `t${n}`, name: `n${n}`, secret: 's' })));
    client.on('commandStarted', ({ commandName }) => commands.push(commandName));
  });
  after(async () => {
    await things.db.dropDatabase();
    await client.close();
  });

  it('go together, and each gets its own', async () => {
    const read = gatherReads<Thing, Omit<Thing, 'secret'>>(things, { projection: { name: 1 } });
    commands = [];
    const ids = [...Array.from({ length: 150 }, (_, n) => `t${n}`), 'none', 't3'];
    const found = await Promise.all(ids.map(read));
    assert.deepEqual(
      found,
      ids.map((id) => (id === 'none' ? undefined : { _id: id, name: id.replace('t', 'n') })),
    );
    assert.deepEqual(commands, ['find', 'find']);
  });

  it('are told where it fails, each of them, and the next ones go on', async () => {
    const read = gatherReads<Thing>(things, { projection: { $wrong: 1 } });
    const outcomes = await Promise.allSettled(['t1', 't2'].map(read));
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['rejected', 'rejected'],
    );
    assert.equal((await gatherReads<Thing>(things)('t1'))?.secret, 's');
  });
});
