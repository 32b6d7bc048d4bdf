import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { MongoClient } from 'mongodb';
import { identify, isAlive } from './processes/identity.ts';
import { externalSettings } from './settings.ts';
import { CliHarness } from './testing/cli-harness.ts';

describe('npm start with servers of its own', { timeout: 170_000 }, () => {
  const stack = new CliHarness();
  beforeEach(() => {
    for (const name of Object.values(externalSettings)) stack.env[name] = undefined;
  });

  it('after SIGKILL ends what was left behind, and finds the data', async () => {
    const first = stack.run('start', '--servers');
    await first.says(/ready in/);
    const address = `mongodb://127.0.0.1:${stack.env.CAUSEWAY_MONGODB_PORT ?? ''}/?directConnection=true`;
    await write(address);
    const left = stack.identities();
    assert.equal(left.length, 3);
    first.process.kill('SIGKILL');
    await first.ended;
    assert.deepEqual(left.filter(isAlive), left);

    const status = stack.run('status');
    assert.equal(await status.ended, 1);
    assert.match(status.output(), /left behind: mongodb, kafka, redis/);

    const second = stack.run('start', '--servers');
    await second.says(/ready in/);
    assert.match(second.output(), new RegExp(`ending what it left behind: mongodb \\(pid ${left[0]?.pid ?? 0}\\)`));
    assert.deepEqual(left.filter(isAlive), []);
    assert.equal(await count(address), 1);
    assert.ok(identify(second.process.pid ?? 0));
  });

  it('can be broken off while it starts', async () => {
    const start = stack.run('start', '--servers');
    await start.says(/starting mongodb, kafka, redis/);
    start.process.kill('SIGINT');
    assert.equal(await start.ended, 0);
    assert.deepEqual(stack.identities(), []);
    assert.equal(stack.holder(), undefined);
  });
});

async function write(address: string): Promise<void> {
  const client = new MongoClient(address);
  await client
    .db('cli-spec')
    .collection('kept')
    .insertOne({}, { writeConcern: { w: 'majority' } });
  await client.close();
}

async function count(address: string): Promise<number> {
  const client = new MongoClient(address);
  const found = await client.db('cli-spec').collection('kept').countDocuments();
  await client.close();
  return found;
}
