import { Admin } from '@platformatic/kafka';
import { Redis } from 'ioredis';
import { MongoClient } from 'mongodb';
import { StackError, wordsOf } from '../stack-error.ts';
import type { ServerName } from '../topology.ts';
import { withoutPassword } from './address.ts';
import { compareVersions, oldest, versionIn } from './version.ts';

const timeoutMs = 5000;

/** Since 4.0 a broker no longer speaks the first versions of Fetch (KIP-896); it tells no version of its own. */
const fetchKey = 1;
const oldestFetchOf4 = 4;

/**
 * Looks at a server that somebody has named in the environment. It is taken at their word: it works, or the start fails.
 *
 * @param setting - the name of the variable
 * @returns its version, for a person
 * @throws StackError that names the setting: no answer, too old, or it refuses us
 */
export async function checkExternal(server: ServerName, setting: string, address: string): Promise<string> {
  const checks = { mongodb: checkMongodb, kafka: checkKafka, redis: checkRedis };
  try {
    return await checks[server](address);
  } catch (error) {
    throw new StackError(`${setting} (${withoutPassword(address)}) ${reasonOf(error)}`, { cause: error });
  }
}

/** Says why in words that fit behind the name of the setting. */
class Unfit extends Error {}

function reasonOf(error: unknown): string {
  if (error instanceof Unfit) return error.message;
  const words = wordsOf(error);
  const refused = /auth|NOAUTH|WRONGPASS|NOPERM|not authorized|denied/i.test(words);
  return refused ? `refuses us: ${words}` : `does not answer: ${words}`;
}

async function checkMongodb(address: string): Promise<string> {
  const client = new MongoClient(address, {
    serverSelectionTimeoutMS: timeoutMs,
    connectTimeoutMS: timeoutMs,
    appName: 'causeway-stack',
  });
  try {
    const admin = client.db('admin');
    const hello = await admin.command({ hello: 1 });
    const { version } = (await admin.command({ buildInfo: 1 })) as { version: string };
    if (compareVersions(version, oldest.mongodb) < 0) {
      throw new Unfit(`is MongoDB ${version}; ${oldest.mongodb} or later is needed`);
    }
    // A router of a sharded cluster stands for replica sets.
    if (hello.setName === undefined && hello.msg !== 'isdbgrid') {
      throw new Unfit('is not a replica set, without which there are neither transactions nor change streams');
    }
    // hello and buildInfo need no rights: this does.
    await client.db('causeway-auth').command({ listCollections: 1, nameOnly: true });
    return version;
  } finally {
    await client.close();
  }
}

async function checkKafka(address: string): Promise<string> {
  const admin = new Admin({
    clientId: 'causeway-stack',
    bootstrapBrokers: address.split(',').map((each) => each.trim()),
    retries: 0,
    connectTimeout: timeoutMs,
    timeout: timeoutMs,
  });
  try {
    const apis = await admin.listApis();
    const fetch = apis.find((api) => api.apiKey === fetchKey);
    if (fetch === undefined || fetch.minVersion < oldestFetchOf4) {
      throw new Unfit(`is a Kafka before ${oldest.kafka}; ${oldest.kafka} or later is needed`);
    }
    const { brokers } = await admin.metadata({ topics: [] });
    if (brokers.size === 0) throw new Unfit('names no broker');
    return `${oldest.kafka} or later`;
  } finally {
    await admin.close();
  }
}

async function checkRedis(address: string): Promise<string> {
  const redis = new Redis(address, {
    lazyConnect: true,
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  // The driver also emits what its promises reject with.
  let emitted: unknown;
  redis.on('error', (error) => (emitted = error));
  try {
    await redis.connect().catch((error: unknown) => {
      throw emitted instanceof Error ? emitted : error;
    });
    const version = versionIn(/^redis_version:(.*)$/m.exec(await redis.info('server'))?.[1] ?? '') ?? '0.0';
    if (compareVersions(version, oldest.redis) < 0) {
      throw new Unfit(`is Redis ${version}; ${oldest.redis} or later is needed`);
    }
    return version;
  } finally {
    redis.disconnect();
  }
}
