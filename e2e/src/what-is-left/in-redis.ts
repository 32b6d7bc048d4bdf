import { Redis } from 'ioredis';
import type { Piece } from './piece.ts';

const readers: Readonly<Record<string, (redis: Redis, key: string) => Promise<unknown>>> = {
  string: (redis, key) => redis.getBuffer(key),
  hash: (redis, key) => redis.hgetallBuffer(key),
  list: (redis, key) => redis.lrangeBuffer(key, '0', '-1'),
  set: (redis, key) => redis.smembersBuffer(key),
  zset: (redis, key) => redis.zrangeBuffer(key, '0', '-1'),
  stream: (redis, key) => redis.callBuffer('XRANGE', key, '-', '+'),
};

/** Every leaf of an answer, as bytes. */
function* leaves(value: unknown): Generator<Uint8Array> {
  if (value instanceof Uint8Array) yield value;
  else if (typeof value === 'string') yield Buffer.from(value);
  else if (typeof value === 'object' && value !== null) {
    for (const [key, each] of Object.entries(value)) {
      yield Buffer.from(key);
      yield* leaves(each);
    }
  }
}

/** Every key and every value. */
export async function* inRedis(url: string): AsyncGenerator<Piece> {
  const redis = new Redis(url, { maxRetriesPerRequest: 3 });
  try {
    for await (const keys of redis.scanStream({ count: 1_000 }) as AsyncIterable<string[]>) {
      for (const key of keys) {
        yield { where: 'a key of Redis', bytes: Buffer.from(key) };
        const type = await redis.type(key);
        const read = readers[type];
        if (read === undefined && type !== 'none') throw new Error(`nothing reads the type ${type} of Redis`);
        for (const bytes of leaves(await read?.(redis, key))) yield { where: `Redis, ${key}`, bytes };
      }
    }
  } finally {
    redis.disconnect();
  }
}
