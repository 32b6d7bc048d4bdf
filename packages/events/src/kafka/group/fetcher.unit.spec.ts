import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { KafkaPoisonedError } from '../errors.ts';
import type { FetchedRecord } from '../port.ts';
import { eventually } from '../testing/eventually.ts';
import { fakeWire } from '../testing/fake-wire.ts';
import { type FetchAnswer, type FetchAsk, type KafkaWire, WireError } from '../wire.ts';
import { Fetcher } from './fetcher.ts';
import { PartitionFeed } from './partition-feed.ts';

const record = (partition: number, offset: bigint): FetchedRecord => ({
  topic: 't',
  partition,
  offset,
  timestampMs: 0,
  key: null,
  value: null,
  headers: {},
});

/** The next record of a partition, of which there are 3; then nothing, after a little while. */
async function next({ topic, partition, offset }: FetchAsk): Promise<FetchAnswer> {
  await new Promise((resolve) => setTimeout(resolve, 1));
  const there = offset < 3n;
  const records = there ? [record(partition, offset)] : [];
  return { topic, partition, records, next: offset + BigInt(records.length) };
}

const told =
  (partition: number) =>
  ({ offset, unreadable }: FetchedRecord): string =>
    `${partition}:${offset}${unreadable === undefined ? '' : ` ${unreadable}`}`;

function run(
  wire: Partial<KafkaWire>,
  partitions: number,
): { seen: string[]; errors: Error[]; gaps: bigint[]; stop(): void } {
  const seen: string[] = [];
  const errors: Error[] = [];
  const gaps: bigint[] = [];
  const fetcher = new Fetcher({
    wire: fakeWire({
      leaders: () => Promise.resolve(new Map([['t', new Array<number>(partitions).fill(1)]])),
      fetch: (_node, asks) => Promise.all(asks.map(next)),
      ...wire,
    }),
    topics: ['t'],
    maxBytesPerPartition: 1_000,
    onError: (error) => void errors.push(error),
  });
  const feeds = Array.from({ length: partitions }, (_, partition) => {
    const feed = new PartitionFeed({
      topic: 't',
      partition,
      position: 0n,
      maxHeld: 10,
      maxHeldBytes: 1_000_000,
      onRecords: (records) => Promise.resolve(void seen.push(...records.map(told(partition)))),
      onGap: (wanted) => {
        gaps.push(wanted);
        return Promise.resolve(2n);
      },
      onError: (error) => void errors.push(error),
      onRoom: () => fetcher.wake(),
    });
    fetcher.add(feed);
    return feed;
  });
  const stop = (): void => {
    for (const feed of feeds) feed.stop();
    fetcher.close();
  };
  return { seen, errors, gaps, stop };
}

describe('Fetcher', () => {
  it('names the place of a batch that cannot be decoded, gives up its offsets after some tries, and goes on', async () => {
    let asked = 0;
    const fetch = async (_node: number, asks: readonly FetchAsk[]): Promise<FetchAnswer[]> => {
      const poisoned = asks.some((ask) => ask.partition === 0 && (ask.offset < 2n || ask.maxBytes > 1));
      if (asks.length === 1 && asks[0]?.offset === 0n && asks[0].partition === 0) asked += 1;
      if (poisoned) throw new WireError('UNDECODABLE', new Error('bad bytes'));
      return await Promise.all(asks.map(next));
    };
    const { seen, errors, stop } = run({ fetch }, 2);
    await eventually(() => seen.length === 6);
    stop();
    const unreadable = ['0:0 UNDECODABLE: bad bytes', '0:1 UNDECODABLE: bad bytes'];
    assert.deepEqual([...seen].sort(), [...unreadable, '0:2', '1:0', '1:1', '1:2']);
    assert.ok(asked >= 3, `${asked} times`);
    const [error] = errors;
    assert.ok(error instanceof KafkaPoisonedError);
    assert.deepEqual([error.topic, error.partition, error.offset], ['t', 0, 0n]);
    assert.equal(errors.length, 2);
  });

  it('believes nothing of what could not be decoded once', async () => {
    let garbled = 0;
    const fetch = async (_node: number, asks: readonly FetchAsk[]): Promise<FetchAnswer[]> => {
      if (garbled < 3) {
        garbled += 1;
        throw new WireError('UNDECODABLE', new Error('garbled'));
      }
      return await Promise.all(asks.map(next));
    };
    const { seen, stop } = run({ fetch }, 1);
    await eventually(() => seen.length === 3);
    stop();
    assert.deepEqual(seen, ['0:0', '0:1', '0:2']);
  });

  it('asks for the leader again when it has moved', async () => {
    let leader = 1;
    let asked = 0;
    const { seen, stop } = run(
      {
        leaders: () => {
          asked += 1;
          return Promise.resolve(new Map([['t', [leader]]]));
        },
        fetch: async (node, asks) => {
          if (node === 2) return await Promise.all(asks.map(next));
          leader = 2;
          return asks.map((ask) => ({
            ...ask,
            records: [],
            next: ask.offset,
            error: new WireError('NOT_LEADER_OR_FOLLOWER'),
          }));
        },
      },
      1,
    );
    await eventually(() => seen.length === 3);
    stop();
    assert.equal(asked, 2);
  });

  it('lets each partition be the first of a request: of another, a batch that is larger than was asked for is left out', async () => {
    const firsts: number[] = [];
    const fetch = async (_node: number, asks: readonly FetchAsk[]): Promise<FetchAnswer[]> => {
      firsts.push(asks[0]?.partition ?? -1);
      const answers = await Promise.all(asks.map(next));
      return answers.map((answer, at) =>
        at > 0 && answer.partition === 1 ? { ...answer, records: [], next: 0n } : answer,
      );
    };
    const { seen, stop } = run({ fetch }, 2);
    await eventually(() => seen.includes('1:0'));
    stop();
    assert.deepEqual(firsts.slice(0, 2), [0, 1]);
  });

  it('waits longer and longer for a broker that is away', async () => {
    let requests = 0;
    const fetch = (): Promise<FetchAnswer[]> => {
      requests += 1;
      return Promise.reject(new WireError('NETWORK'));
    };
    const { errors, stop } = run({ fetch }, 1);
    const startedMs = performance.now();
    await eventually(() => errors.length >= 4);
    stop();
    // Delays of at least 25, 50 and 100 ms lie between four attempts.
    assert.ok(performance.now() - startedMs >= 170);
    assert.ok(requests <= 5);
  });

  it('believes in a gap only if the offsets show one', async () => {
    let believed = false;
    const { seen, gaps, stop } = run(
      {
        fetch: async (_node, asks) => {
          const [ask] = asks;
          if (ask?.offset !== 0n) return await Promise.all(asks.map(next));
          return [{ topic: 't', partition: 0, records: [], next: 0n, error: new WireError('OFFSET_OUT_OF_RANGE') }];
        },
        offsets: (_topic, which) => {
          const first = believed ? 2n : 0n;
          if (which === 'latest') believed = true;
          return Promise.resolve(new Map([[0, which === 'earliest' ? first : 3n]]));
        },
      },
      1,
    );
    await eventually(() => seen.length === 1);
    stop();
    assert.deepEqual(gaps, [0n]);
    assert.deepEqual(seen, ['0:2']);
  });
});
