import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Admin, Consumer, Producer } from '@platformatic/kafka';
import { Redis } from 'ioredis';
import { MongoClient } from 'mongodb';
import { identify, isAlive } from '../processes/identity.ts';
import { startPlatform, type TestPlatform } from '../testing/index.ts';

const fixtures = path.join(import.meta.dirname, '../testing/fixtures/checkout');

describe('a platform', () => {
  let dir: string;
  let platform: TestPlatform;
  const start = () => startPlatform({ dir, freePorts: true, checkout: fixtures, env: { FIXTURE_MARK: 'passed on' } });

  before(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'platform-'));
    platform = await start();
  });
  after(async () => {
    await platform.stop();
    await rm(dir, { recursive: true });
  });

  const environmentOf = async (name: string): Promise<Record<string, string>> =>
    (await (await fetch(`${platform.urls[name] ?? ''}/env`)).json()) as Record<string, string>;

  async function withMongo<T>(work: (client: MongoClient) => Promise<T>): Promise<T> {
    const client = new MongoClient(platform.urls.mongodb ?? '', { serverSelectionTimeoutMS: 15_000 });
    try {
      return await work(client);
    } finally {
      await client.close();
    }
  }

  it('starts the services that the checkout has, and no others', async () => {
    assert.deepEqual(Object.keys(platform.services).sort(), ['auth', 'gateway']);
    for (const { url } of Object.values(platform.services)) assert.equal((await fetch(`${url}/readyz`)).status, 200);
  });

  it('tells each service what it needs, and no more', async () => {
    const [auth, gateway] = [await environmentOf('auth'), await environmentOf('gateway')];
    const own = (platform.urls.mongodb ?? '').replace('/?', '/causeway-auth?');
    assert.equal(auth.MONGODB_URL, own);
    assert.equal(gateway.MONGODB_URL, undefined);
    for (const env of [auth, gateway]) {
      assert.equal(env.KAFKA_BROKERS, platform.urls.kafka);
      assert.equal(env.REDIS_URL, platform.urls.redis);
      assert.equal(env.AUTH_URL, platform.urls.auth);
      assert.equal(env.PUBLIC_URL, platform.urls.gateway);
      assert.equal(env.FIXTURE_MARK, 'passed on');
    }
    assert.equal(auth.CAUSEWAY_ADMIN_EMAIL, 'admin@causeway.local');
    assert.equal(auth.CAUSEWAY_ADMIN_PASSWORD, platform.adminPassword);
    assert.equal(Buffer.from(auth.CAUSEWAY_MASTER_KEY ?? '', 'base64').length, 32);
    assert.deepEqual([auth.SMTP_URL, auth.MAILBOX], ['', 'true']);
    assert.deepEqual(
      Object.keys(gateway).filter((name) => /ADMIN|MASTER|FIELD_KEY|SMTP|MAILBOX/.test(name)),
      [],
    );
    assert.equal((await stat(path.join(dir, 'admin-password'))).mode & 0o777, 0o600);
  });

  it('has a MongoDB with transactions and change streams', async () => {
    await withMongo(async (client) => {
      const things = client.db('platform-spec').collection<{ _id: string; n: number }>('things');
      await things.insertOne({ _id: 'counter', n: 0 });
      const stream = things.watch();
      const next = stream.next();
      await client.withSession((session) =>
        session.withTransaction(() => things.updateOne({ _id: 'counter' }, { $inc: { n: 1 } }, { session })),
      );
      assert.equal((await next).operationType, 'update');
      await stream.close();
      assert.equal((await client.db('admin').command({ getParameter: 1, transactionLifetimeLimitSeconds: 1 })).ok, 1);
    });
  });

  it('has a Kafka that makes no topic by itself, and takes a message of 4 MiB', async () => {
    const bootstrapBrokers = [platform.urls.kafka ?? ''];
    const admin = new Admin({ clientId: 'spec', bootstrapBrokers, retries: 0 });
    await assert.rejects(admin.metadata({ topics: ['never-made'] }));
    const configs = [{ name: 'max.message.bytes', value: String(4 * 1024 * 1024 + 4096) }];
    await admin.createTopics({ topics: ['large'], partitions: 1, replicas: 1, configs });
    await admin.close();
    const producer = new Producer({ clientId: 'spec', bootstrapBrokers });
    const value = Buffer.alloc(4 * 1024 * 1024, 'x');
    await producer.send({ messages: [{ topic: 'large', value }] });
    await producer.close();
    const consumer = new Consumer({ clientId: 'spec', bootstrapBrokers, groupId: 'spec', autocommit: false });
    const stream = await consumer.consume({ topics: ['large'], mode: 'earliest', fallbackMode: 'earliest' });
    for await (const message of stream) {
      assert.equal(message.value.length, value.length);
      break;
    }
    await consumer.close(true);
  });

  it('brings every child back that is killed, with what was acknowledged before', { timeout: 120_000 }, async () => {
    await withMongo((client) =>
      client
        .db('platform-spec')
        .collection<{ _id: string }>('kept')
        .insertOne({ _id: 'acknowledged' }, { writeConcern: { w: 'majority' } }),
    );
    const redis = new Redis(platform.urls.redis ?? '', { lazyConnect: true });
    await redis.set('platform-spec', 'acknowledged');
    assert.match(await redis.info('memory'), /^maxmemory:268435456\r\n(.*\r\n)*maxmemory_policy:volatile-ttl\r$/mu);
    redis.disconnect();

    const children = [...Object.values(platform.servers), ...Object.values(platform.services)];
    const before = children.map(({ pid }) => pid);
    for (const child of children) child.kill();
    await Promise.all(children.map((child) => child.restarted(1, 60_000)));
    children.forEach((child, index) => assert.notEqual(child.pid, before[index], child.name));

    const kept = await withMongo((client) => client.db('platform-spec').collection('kept').countDocuments());
    assert.equal(kept, 1);
    const again = new Redis(platform.urls.redis ?? '', { lazyConnect: true });
    assert.equal(await again.get('platform-spec'), 'acknowledged');
    again.disconnect();
    const admin = new Admin({ clientId: 'spec', bootstrapBrokers: [platform.urls.kafka ?? ''] });
    assert.ok((await admin.listTopics()).includes('large'));
    await admin.close();
  });

  it('stays within 1.5 GB resident', () => {
    assert.ok(platform.memoryBytes() < 1.5e9, `${platform.memoryBytes()} bytes`);
  });

  it('leaves no process, and finds its data and its password on other ports', { timeout: 120_000 }, async () => {
    const { adminPassword } = platform;
    const pids = [...Object.values(platform.servers), ...Object.values(platform.services)].map(({ pid }) => pid ?? 0);
    const running = pids.flatMap((pid) => identify(pid) ?? []);
    assert.equal(running.length, pids.length);
    await platform.stop();
    assert.deepEqual(running.filter(isAlive), []);

    const formerPort = platform.urls.mongodb;
    platform = await start();
    assert.notEqual(platform.urls.mongodb, formerPort);
    assert.equal(platform.adminPassword, adminPassword);
    assert.equal(await withMongo((client) => client.db('platform-spec').collection('kept').countDocuments()), 1);
    assert.match(await readFile(path.join(dir, 'logs', 'auth.log'), 'utf8'), /listening on/);
  });
});
