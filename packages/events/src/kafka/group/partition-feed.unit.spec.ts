import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FetchedRecord } from '../port.ts';
import { eventually } from '../testing/eventually.ts';
import { PartitionFeed, type PartitionFeedOptions } from './partition-feed.ts';

const records = (from: number, to: number): FetchedRecord[] =>
  Array.from({ length: to - from }, (_, index) => ({
    topic: 't',
    partition: 0,
    offset: BigInt(from + index),
    timestampMs: 0,
    key: null,
    value: null,
    headers: {},
  }));

function feed(
  options: Partial<PartitionFeedOptions> = {},
  after?: PartitionFeed,
): { feed: PartitionFeed; seen: bigint[][] } {
  const seen: bigint[][] = [];
  const made = new PartitionFeed(
    {
      topic: 't',
      partition: 0,
      position: 0n,
      maxHeld: 4,
      maxHeldBytes: 10_000,
      onRecords: (each) => Promise.resolve(void seen.push(each.map(({ offset }) => offset))),
      onGap: () => Promise.reject(new Error('no gap expected')),
      onError: (error) => assert.fail(error),
      onRoom: () => undefined,
      ...options,
    },
    after,
  );
  return { feed: made, seen };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('PartitionFeed', () => {
  it('wants no more while it holds as much as it may, what is being handled included', async () => {
    let release: () => void = () => undefined;
    const { feed: full } = feed({ onRecords: () => new Promise((resolve) => (release = resolve)) });
    assert.ok(full.wantsMore());
    full.accept(records(0, 4), 4n);
    await settle();
    assert.ok(!full.wantsMore());
    release();
    await settle();
    assert.ok(full.wantsMore());
    assert.equal(full.position, 4n);
    full.stop();
  });

  it('wants no more while it holds as many bytes as it may, and asks for no more than it has room for', async () => {
    let release: () => void = () => undefined;
    const maxHeldBytes = 3_000_000;
    const { feed: full } = feed({
      maxHeld: 1_000,
      maxHeldBytes,
      onRecords: () => new Promise((resolve) => (release = resolve)),
    });
    const large = records(0, 3).map((record) => ({ ...record, value: Buffer.alloc(1_000_000) }));
    full.accept(large.slice(0, 2), 2n);
    await settle();
    assert.ok(full.wantsMore());
    const asked = full.bytesToAsk(2_000_000);
    assert.ok(asked > 900_000 && asked <= 1_000_000, `${asked}`);
    full.accept(large.slice(2), 3n);
    assert.ok(!full.wantsMore());
    assert.equal(full.bytesToAsk(2_000_000), 65_536);
    release();
    await settle();
    assert.ok(full.wantsMore());
    full.stop();
  });

  it('delivers again what a handler rejected, and in order what came meanwhile', async () => {
    let failures = 1;
    const seen: bigint[][] = [];
    const errors: Error[] = [];
    const { feed: made } = feed({
      maxHeld: 10,
      onRecords: (each) => {
        seen.push(each.map(({ offset }) => offset));
        failures -= 1;
        return failures >= 0 ? Promise.reject(new Error('no')) : Promise.resolve();
      },
      onError: (error) => void errors.push(error),
    });
    made.accept(records(0, 2), 2n);
    made.accept(records(2, 3), 3n);
    await eventually(() => seen.length === 2);
    assert.deepEqual(seen, [
      [0n, 1n, 2n],
      [0n, 1n, 2n],
    ]);
    assert.equal(errors.length, 1);
    made.stop();
  });

  it('delivers nothing after it was stopped, and is over when the delivery in hand is', async () => {
    let release: () => void = () => undefined;
    let deliveries = 0;
    const { feed: made } = feed({
      onRecords: () => {
        deliveries += 1;
        return new Promise((resolve) => (release = resolve));
      },
    });
    made.accept(records(0, 4), 4n);
    await settle();
    made.stop();
    made.accept(records(4, 5), 5n);
    let over = false;
    const stopped = made.stopped().then(() => (over = true));
    await settle();
    assert.equal(over, false);
    release();
    await stopped;
    assert.equal(deliveries, 1);
  });

  it('waits for the delivery that its predecessor has in hand', async () => {
    let release: () => void = () => undefined;
    const { feed: before } = feed({ onRecords: () => new Promise((resolve) => (release = resolve)) });
    before.accept(records(0, 1), 1n);
    await settle();
    before.stop();
    const { feed: next, seen } = feed({}, before);
    next.accept(records(0, 1), 1n);
    await settle();
    assert.deepEqual(seen, []);
    release();
    await eventually(() => seen.length === 1);
    next.stop();
  });

  it('asks about a gap only after everything before it was handled', async () => {
    const order: string[] = [];
    const { feed: made } = feed({
      onRecords: (each) => Promise.resolve(void order.push(`handled to ${String(each.at(-1)?.offset)}`)),
      onGap: (wanted, earliest) => {
        order.push(`gap ${wanted}-${earliest}`);
        return Promise.resolve(earliest);
      },
    });
    made.accept(records(0, 2), 2n);
    made.reportGap(9n);
    assert.ok(!made.wantsMore());
    await eventually(() => made.position === 9n);
    assert.deepEqual(order, ['handled to 1', 'gap 2-9']);
    assert.ok(made.wantsMore());
    made.stop();
  });

  it('tells how far it is, also where there was nothing to deliver', async () => {
    const handled: bigint[] = [];
    const { feed: made } = feed({ onHandled: (upTo) => void handled.push(upTo) });
    made.accept([], 7n);
    made.accept(records(7, 8), 10n);
    await eventually(() => handled.length === 2);
    assert.deepEqual(handled, [7n, 10n]);
    made.stop();
  });
});
