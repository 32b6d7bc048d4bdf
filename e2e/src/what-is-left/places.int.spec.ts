import { createKafka } from '@causeway/events';
import { createLogger } from '@causeway/telemetry';
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { describe, it } from 'node:test';
import { Redis } from 'ioredis';
import { MongoClient } from 'mongodb';
import { ByteFinder } from '../harness/byte-finder.ts';
import { inFiles } from './in-files.ts';
import { inKafka } from './in-kafka.ts';
import { inMongodb } from './in-mongodb.ts';
import { inRedis } from './in-redis.ts';
import type { Piece } from './piece.ts';

const server = (name: string): string => {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: run these tests with npm run test-int`);
  return value;
};

/** Where a secret is found, without what its places have of their own. */
async function wherever(secret: string, pieces: (longest: number) => AsyncIterable<Piece>): Promise<Set<string>> {
  const finder = new ByteFinder([{ text: secret, what: 'it' }]);
  const found = new Set<string>();
  for await (const { where, bytes } of pieces(finder.longest)) if (finder.find(bytes).length > 0) found.add(where);
  return found;
}

describe('a secret that was left in clear', () => {
  it('in a file of a home is found, also where two pieces of it meet', async () => {
    const home = await mkdtemp(path.join(tmpdir(), 'causeway-test-'));
    const [first, second] = [randomUUID(), randomUUID()];
    try {
      await mkdir(path.join(home, 'logs'));
      await writeFile(path.join(home, 'platform.log'), `begun ${first}\n`);
      await writeFile(path.join(home, 'logs', 'auth.log'), `${'.'.repeat(2 ** 22 - 10)}${second}`);
      assert.deepEqual(await wherever(first, (longest) => inFiles(home, longest)), new Set(['platform.log']));
      assert.deepEqual(await wherever(second, (longest) => inFiles(home, longest)), new Set(['logs/auth.log']));
    } finally {
      await rm(home, { recursive: true });
    }
  });

  it('in a document is found, and in the oplog when the document is gone', async () => {
    const secret = randomUUID();
    const client = await MongoClient.connect(server('MONGODB_URL'));
    const name = `causeway-left-${secret.slice(0, 8)}`;
    try {
      const rows = client.db(name).collection('rows');
      await rows.insertOne({ deep: [{ within: `a ${secret} b` }] });
      const look = () => wherever(secret, () => inMongodb(server('MONGODB_URL')));
      assert.deepEqual(await look(), new Set([`${name}.rows`, 'local.oplog.rs']));
      await rows.deleteMany({});
      assert.deepEqual(await look(), new Set(['local.oplog.rs']));
    } finally {
      await client.db(name).dropDatabase();
      await client.close();
    }
  });

  it('in a key, a header or a value of Kafka is found', async () => {
    const secret = randomUUID();
    const topic = `left-${secret.slice(0, 8)}`;
    const brokers = server('KAFKA_BROKERS');
    const logger = createLogger({ service: 'test', level: 'silent' });
    const kafka = createKafka({ driver: 'platformatic', brokers: brokers.split(','), clientId: 'left', logger });
    try {
      await kafka.ensureTopics([{ name: topic, partitions: 1 }]);
      const producer = await kafka.producer();
      const record = { topic, partition: 0, key: Buffer.from('key'), headers: {}, value: Buffer.from('value') };
      await producer.send([
        { ...record, key: Buffer.from(secret) },
        { ...record, headers: { one: secret } },
        { ...record, value: Buffer.from(`{"a":"${secret}"}`) },
        record,
      ]);
      // Specs beside take theirs away.
      const found = await wherever(secret, () => inKafka(brokers, (each) => each === topic));
      assert.deepEqual(found, new Set([0, 1, 2].map((offset) => `${topic}/0 at ${offset}`)));
    } finally {
      await kafka.deleteTopics([topic]);
      await kafka.close();
    }
  });

  it('in a key or a value of any type of Redis is found', async () => {
    const secret = randomUUID();
    const own = `left:${randomUUID()}`;
    const redis = new Redis(server('REDIS_URL'));
    const keys = ['string', 'hash', 'field', 'list', 'set', 'zset', 'stream'].map((type) => `${own}:${type}`);
    const [string = '', hash = '', field = '', list = '', set = '', zset = '', stream = ''] = keys;
    const named = `${own}:${secret}`;
    try {
      await redis.set(string, secret);
      await redis.hset(hash, 'field', secret);
      await redis.hset(field, secret, 'value');
      await redis.rpush(list, 'other', secret);
      await redis.sadd(set, secret);
      await redis.zadd(zset, 1, secret);
      await redis.xadd(stream, '*', 'field', secret);
      await redis.set(named, 'value');
      const found = await wherever(secret, () => inRedis(server('REDIS_URL')));
      assert.deepEqual(found, new Set([...keys.map((key) => `Redis, ${key}`), 'a key of Redis']));
    } finally {
      await redis.del(...keys, named);
      redis.disconnect();
    }
  });
});
