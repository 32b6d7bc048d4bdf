import assert from 'node:assert/strict';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Admin, compressionsAlgorithms, Producer } from '@platformatic/kafka';
import { KafkaNotAssignedError, KafkaPoisonedError } from '../errors.ts';
import { ConformanceContext, type ConformanceOptions, numbered, textRecord } from './conformance-context.ts';
import { eventually } from './eventually.ts';
import { TestConsumer } from './test-consumer.ts';

/** What buffers take that somebody still holds. */
function bufferedBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().arrayBuffers;
}

export function describeGroupConsumer(options: ConformanceOptions): void {
  describe('group consumer', () => {
    let context: ConformanceContext;
    let admin: Admin;
    before(() => {
      context = new ConformanceContext(options);
      admin = new Admin({ clientId: 'conformance', bootstrapBrokers: [options.broker] });
    });
    after(async () => {
      await admin.close();
      await context.close();
    });

    it('starts at the earliest record, and after a restart where it has committed', async () => {
      const [topic, group] = [await context.topic({ partitions: 2 }), context.group()];
      await context.sendTexts(topic, ['a', 'b'], 0);
      await context.sendTexts(topic, ['x'], 1);
      const first = await TestConsumer.start(context.port, group, [topic]);
      await first.received(3);
      assert.deepEqual(first.values(0), ['a', 'b']);
      assert.deepEqual(
        first.assignments.flat().map((each) => each.committed),
        [null, null],
      );
      await first.consumer.close();
      await context.sendTexts(topic, ['c'], 0);
      assert.deepEqual(
        (await context.port.consumerLag(group, [topic])).get(topic),
        new Map([
          [0, 1n],
          [1, 0n],
        ]),
      );

      const second = await TestConsumer.start(context.port, group, [topic]);
      await second.received(1);
      assert.deepEqual(second.values(), ['c']);
      assert.deepEqual(
        second.assignments.flat().map(({ partition, committed }) => [partition, committed]),
        [
          [0, 2n],
          [1, 1n],
        ],
      );
      await second.consumer.close();
    });

    it('starts where onAssigned says, and delivers nothing before it has said so', async () => {
      const topic = await context.topic();
      await context.sendTexts(topic, ['a', 'b', 'c']);
      let mayStart: (() => void) | undefined;
      const consumer = await TestConsumer.start(context.port, context.group(), [topic], {
        onAssigned: async () => {
          await new Promise<void>((resolve) => (mayStart = resolve));
          return [{ topic, partition: 0, offset: 1n }];
        },
      });
      await eventually(() => mayStart !== undefined);
      assert.deepEqual(consumer.values(), []);
      mayStart?.();
      await consumer.received(2);
      assert.deepEqual(consumer.values(), ['b', 'c']);
      await consumer.consumer.close();
    });

    it('hands over only what is handled and committed: no two at once, none lost, in order', async () => {
      const [topic, group] = [await context.topic({ partitions: 4 }), context.group()];
      const total = 400;
      const handling = new Set<number>();
      const overlaps: number[] = [];
      const onRecords = async (_topic: string, partition: number): Promise<void> => {
        if (handling.has(partition)) overlaps.push(partition);
        handling.add(partition);
        await new Promise((resolve) => setTimeout(resolve, 15));
        handling.delete(partition);
      };
      const handlers = { onRecords, maxInFlightRecords: 16 };
      const first = await TestConsumer.start(context.port, group, [topic], handlers);
      await first.assigned(4);
      const sending = (async (): Promise<void> => {
        for (const text of numbered(0, total / 4)) {
          await context.send([0, 1, 2, 3].map((partition) => textRecord(topic, partition, text)));
        }
      })();
      await first.received(20);
      const other = context.openPort();
      const second = await TestConsumer.start(other, group, [topic], handlers);
      await second.assigned(2);
      await second.received(10);
      await first.consumer.close();
      await sending;
      await eventually(() => first.records.length + second.records.length >= total);
      await other.close();

      assert.deepEqual(overlaps, []);
      assert.ok(first.revocations.some(({ lost }) => !lost));
      for (const partition of [0, 1, 2, 3]) {
        assert.deepEqual(
          [...first.values(partition), ...second.values(partition)].map(Number).sort((a, b) => a - b),
          numbered(0, total / 4).map(Number),
          'each once, as everything was committed before it was handed over',
        );
        for (const each of [first, second]) {
          const values = each.values(partition).map(Number);
          assert.deepEqual(
            values,
            [...values].sort((a, b) => a - b),
          );
        }
      }
    });

    it('is told when its partitions are lost, and may not commit them', async () => {
      const [topic, group] = [await context.topic(), context.group()];
      await context.sendTexts(topic, ['a']);
      const refused: unknown[] = [];
      const consumer = await TestConsumer.start(context.port, group, [topic], {
        commits: false,
        onRevoked: async (_partitions, lost) => {
          if (!lost) return;
          const commit = consumer.consumer.commit([{ topic, partition: 0, offset: 1n }]);
          refused.push(await commit.catch((error: unknown) => error));
        },
      });
      await consumer.received(1);
      const members = [...((await admin.describeGroups({ groups: [group] })).get(group)?.members.keys() ?? [])];
      await admin.removeMembersFromConsumerGroup({
        groupId: group,
        members: members.map((memberId) => ({ memberId })),
      });
      await consumer.received(2);
      assert.ok(consumer.revocations.some(({ lost }) => lost));
      assert.ok(refused[0] instanceof KafkaNotAssignedError);
      assert.deepEqual(consumer.values(), ['a', 'a']);
      await consumer.consumer.close();
      await assert.rejects(consumer.consumer.commit([{ topic, partition: 0, offset: 1n }]), KafkaNotAssignedError);
    });

    it('pauses and resumes one partition', async () => {
      const topic = await context.topic({ partitions: 2 });
      const consumer = await TestConsumer.start(context.port, context.group(), [topic]);
      await context.sendTexts(topic, ['a'], 0);
      await consumer.received(1);
      consumer.consumer.pause({ topic, partition: 0 });
      await context.sendTexts(topic, ['b'], 0);
      await context.sendTexts(topic, numbered(0, 5), 1);
      await consumer.received(6);
      assert.deepEqual(consumer.values(0), ['a']);
      consumer.consumer.resume({ topic, partition: 0 });
      await consumer.received(7);
      assert.deepEqual(consumer.values(0), ['a', 'b']);
      await consumer.consumer.close();
    });

    it('keeps its partitions under a handler slower than the session, with bounded deliveries, while others go on', async () => {
      const topic = await context.topic({ partitions: 2 });
      await context.sendTexts(topic, numbered(0, 1_000), 0);
      const deliveries: number[] = [];
      const startedMs = performance.now();
      let release: (() => void) | undefined;
      const consumer = await TestConsumer.start(context.port, context.group(), [topic], {
        maxInFlightRecords: 100,
        onRecords: async (_topic, partition, records) => {
          if (partition === 1) return;
          deliveries.push(records.length);
          if (deliveries.length === 1) await new Promise<void>((resolve) => (release = resolve));
        },
      });
      await eventually(() => release !== undefined);
      await context.sendTexts(topic, ['x'], 1);
      await consumer.received(1);
      await eventually(() => performance.now() - startedMs > 7_500);
      assert.deepEqual(deliveries, deliveries.slice(0, 1));
      release?.();
      await consumer.received(1_001);
      assert.deepEqual(consumer.values(0), numbered(0, 1_000));
      assert.ok(Math.max(...deliveries) <= 100);
      assert.equal(consumer.assignments.length, 1);
      assert.deepEqual(consumer.revocations, []);
      await consumer.consumer.close();
    });

    it('holds no more bytes than it may while a handler stands still, and takes in what is larger than its share', async () => {
      const mebibyte = 1024 * 1024;
      const topic = await context.topic({ partitions: 3, config: { 'max.message.bytes': '4194304' } });
      const value = Buffer.alloc(mebibyte, 'x');
      for (let sent = 0; sent < 64; sent += 1) await context.send([{ ...textRecord(topic, 0, ''), value }]);
      await context.send([{ ...textRecord(topic, 1, ''), value: Buffer.alloc(3 * mebibyte, 'y') }]);
      await context.sendTexts(topic, numbered(0, 500), 2);
      const before = bufferedBytes();
      let release: (() => void) | undefined;
      const door = new Promise<void>((resolve) => (release = resolve));
      const consumer = await TestConsumer.start(context.port, context.group(), [topic], {
        maxInFlightBytes: 3 * mebibyte,
        onRecords: (_topic, partition) => (partition === 0 ? door : Promise.resolve()),
      });
      await consumer.received(501);
      const startedMs = performance.now();
      await eventually(() => performance.now() - startedMs > 4_000);
      const held = bufferedBytes() - before;
      assert.ok(held < 32 * mebibyte, `${held} bytes`);
      release?.();
      await consumer.received(64 + 501);
      assert.equal(consumer.records.filter((record) => record.value?.length === mebibyte).length, 64);
      await consumer.consumer.close();
    });

    it('waits for a handler slower than the session before it lets another member have the partition', async () => {
      const [topic, group] = [await context.topic(), context.group()];
      await context.sendTexts(topic, ['a']);
      let release: (() => void) | undefined;
      const first = await TestConsumer.start(context.port, group, [topic], {
        onRecords: () => new Promise<void>((resolve) => (release = resolve)),
      });
      await eventually(() => release !== undefined);
      const startedMs = performance.now();
      const second = await TestConsumer.start(context.port, group, [topic]);
      await eventually(() => performance.now() - startedMs > 7_500);
      assert.equal(second.assignments.length, 0);
      assert.equal(first.revocations.length, 0);
      release?.();
      await eventually(() => first.revocations.length === 1);
      assert.deepEqual(first.revocations, [{ partitions: [{ topic, partition: 0 }], lost: false }]);
      await first.consumer.close();
      await eventually(() => second.assignments.flat().length === 1);
      assert.equal(second.assignments.flat()[0]?.committed, 1n);
      assert.deepEqual(second.values(), []);
      await second.consumer.close();
    });

    it('announces no generation before the last one has been given up, however long that took to be announced', async () => {
      const [topic, group] = [await context.topic({ partitions: 2 }), context.group()];
      await context.sendTexts(topic, ['a'], 0);
      await context.sendTexts(topic, ['b'], 1);
      const told: string[] = [];
      let release: (() => void) | undefined;
      const first = await TestConsumer.start(context.port, group, [topic], {
        rebalanceTimeoutMs: 1_000,
        onAssigned: async () => {
          told.push('assigned');
          if (release === undefined) await new Promise<void>((resolve) => (release = resolve));
          return [];
        },
        onRevoked: () => {
          told.push('revoked');
          return Promise.resolve();
        },
      });
      await eventually(() => release !== undefined);
      const second = await TestConsumer.start(context.port, group, [topic]);
      // The group waits no longer for the first one, which then has a generation of its own again.
      await eventually(() => second.consumer.assigned.length === 1 && first.consumer.assigned.length === 1);
      assert.deepEqual(told, ['assigned']);
      release?.();
      await eventually(() => told.length === 3);
      assert.deepEqual(told, ['assigned', 'revoked', 'assigned']);
      await eventually(() => new Set([...first.values(), ...second.values()]).size === 2);
      await second.consumer.close();
      await first.consumer.close();
    });

    it('delivers the same records again when a handler rejects', async () => {
      const topic = await context.topic();
      await context.sendTexts(topic, ['a', 'b']);
      let failures = 2;
      const consumer = await TestConsumer.start(context.port, context.group(), [topic], {
        onRecords: () => {
          failures -= 1;
          return failures >= 0 ? Promise.reject(new Error('handler failed')) : Promise.resolve();
        },
      });
      await consumer.received(2);
      assert.deepEqual(consumer.values(), ['a', 'b']);
      assert.equal(consumer.errors.filter((error) => error.message === 'handler failed').length, 2);
      await consumer.consumer.close();
    });

    it('delivers as unreadable what cannot be decoded, offset by offset, and goes on behind it and elsewhere', async (t) => {
      const topic = await context.topic({ partitions: 2 });
      const producer = new Producer({ clientId: 'poison', bootstrapBrokers: [context.options.broker] });
      const sendGarbled = (): Promise<unknown> => {
        const messages = ['a', 'b'].map((text) => ({ topic, partition: 0, value: Buffer.from(text) }));
        return producer.send({ messages, compression: 'zstd', acks: -1 });
      };
      await context.sendTexts(topic, ['good'], 0);
      await sendGarbled();
      await context.sendTexts(topic, ['between'], 0);
      await sendGarbled();
      await context.sendTexts(topic, ['behind'], 0);
      await producer.close();
      await context.sendTexts(topic, ['elsewhere'], 1);
      const garbled = t.mock.method(compressionsAlgorithms.zstd, 'decompressSync', () => {
        throw new Error('bad bytes');
      });

      const consumer = await TestConsumer.start(context.port, context.group(), [topic]);
      await consumer.received(8);
      assert.deepEqual(consumer.values(0), ['good', 'null', 'null', 'between', 'null', 'null', 'behind']);
      assert.deepEqual(consumer.values(1), ['elsewhere']);
      const unreadable = consumer.records.filter((record) => record.unreadable !== undefined);
      assert.deepEqual(
        unreadable.map(({ offset }) => offset),
        [1n, 2n, 4n, 5n],
      );
      for (const record of unreadable) assert.match(record.unreadable ?? '', /bad bytes/);
      const poisoned = consumer.errors.find((error) => error instanceof KafkaPoisonedError);
      assert.match(poisoned?.message ?? '', new RegExp(`${topic}/0 at offset 1$`));
      await consumer.consumer.close();
      const read = await context.contents(topic);
      assert.deepEqual(
        read.map(({ value }) => String(value)),
        ['good', 'between', 'behind', 'elsewhere'],
      );
      garbled.mock.restore();
      assert.equal((await context.contents(topic)).length, 8);
    });

    it('asks where to go on when the wanted offset is gone, until it is told', async () => {
      const [topic, group] = [await context.topic(), context.group()];
      await context.sendTexts(topic, numbered(0, 10));
      const first = await TestConsumer.start(context.port, group, [topic]);
      await first.received(10);
      await first.consumer.close();
      await context.sendTexts(topic, numbered(10, 20));
      await admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition: 0, offset: 15n }] }] });

      const asked: [bigint, bigint][] = [];
      const second = await TestConsumer.start(context.port, group, [topic], {
        onOutOfRange: (_topic, _partition, wanted, earliest) => {
          asked.push([wanted, earliest]);
          return asked.length === 1 ? Promise.reject(new Error('no backfill yet')) : Promise.resolve(earliest + 1n);
        },
      });
      await second.received(4);
      assert.deepEqual(second.values(), numbered(16, 20));
      assert.deepEqual(asked, [
        [10n, 15n],
        [10n, 15n],
      ]);
      assert.ok(second.errors.some((error) => error.message === 'no backfill yet'));
      await second.consumer.close();
    });

    it('asks where to go on when the wanted offset is beyond the end, as after a loss of data', async () => {
      const topic = await context.topic();
      await context.sendTexts(topic, ['a', 'b']);
      const asked: [bigint, bigint][] = [];
      const consumer = await TestConsumer.start(context.port, context.group(), [topic], {
        onAssigned: () => Promise.resolve([{ topic, partition: 0, offset: 7n }]),
        onOutOfRange: (_topic, _partition, wanted, earliest) => {
          asked.push([wanted, earliest]);
          return Promise.resolve(1n);
        },
      });
      await consumer.received(1);
      assert.deepEqual(asked, [[7n, 0n]]);
      assert.deepEqual(consumer.values(), ['b']);
      await consumer.consumer.close();
    });
  });
}
