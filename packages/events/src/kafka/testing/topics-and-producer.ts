import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { KafkaSendError, KafkaTopicError } from '../errors.ts';
import { ConformanceContext, type ConformanceOptions, numbered, textRecord } from './conformance-context.ts';
import { eventually } from './eventually.ts';

export function describeTopics(options: ConformanceOptions): void {
  describe('topics', () => {
    let context: ConformanceContext;
    before(() => void (context = new ConformanceContext(options)));
    after(() => context.close());

    it('are created once, however often and by however many', async () => {
      const name = await context.topic({ partitions: 3 });
      const other = context.openPort();
      const spec = { name, partitions: 3 };
      await Promise.all([context.port.ensureTopics([spec]), other.ensureTopics([spec])]);
      assert.equal(await other.partitionCount(name), 3);
      await other.close();
    });

    it('are refused with another number of partitions, and both numbers are named', async () => {
      const name = await context.topic({ partitions: 3 });
      await assert.rejects(context.port.ensureTopics([{ name, partitions: 4 }]), (error) => {
        assert.ok(error instanceof KafkaTopicError);
        assert.equal(error.topic, name);
        assert.match(error.message, /3 partitions, and 4 /);
        return true;
      });
      assert.equal(await context.port.partitionCount(name), 3);
    });

    it('have the limit of their records raised, and never lowered', async () => {
      const name = await context.topic({ config: { 'max.message.bytes': '1000000', 'retention.ms': '86400000' } });
      const large = { ...textRecord(name, 0, ''), value: Buffer.alloc(1_500_000, 'x') };
      await assert.rejects(context.send([large]), KafkaSendError);
      await context.port.ensureTopics([{ name, partitions: 1, config: { 'max.message.bytes': '4194304' } }]);
      await context.port.ensureTopics([{ name, partitions: 1, config: { 'max.message.bytes': '2000' } }]);
      // A broker's log takes a new limit over a moment after the broker tells of it.
      await eventually(() =>
        context.send([large]).then(
          () => true,
          () => false,
        ),
      );
      assert.equal((await context.port.endOffsets(name)).get(0), 1n);
    });

    it('have what nobody has set on them, and keep what somebody has', async () => {
      const name = await context.topic({ config: { 'retention.ms': '86400000' } });
      const names = ['retention.ms', 'segment.ms', 'cleanup.policy'];
      const before: Record<string, string> = Object.fromEntries(await context.port.topicSettings(name, names));
      const config = { 'retention.ms': '3600000', 'segment.ms': '82800000' };
      await context.port.ensureTopics([{ name, partitions: 1, config }]);
      const expected: Record<string, string> = { ...before, 'segment.ms': '82800000' };
      assert.equal(expected['retention.ms'], '86400000');
      assert.deepEqual(Object.fromEntries(await context.port.topicSettings(name, names)), expected);
    });

    it('that do not exist are an error that says so', async () => {
      const missing = context.group();
      await assert.rejects(context.port.partitionCount(missing), KafkaTopicError);
      await assert.rejects(context.port.endOffsets(missing), KafkaTopicError);
      await context.port.deleteTopics([missing]);
    });

    it('tell their beginning and end by partition', async () => {
      const name = await context.topic({ partitions: 2 });
      await context.sendTexts(name, ['a', 'b'], 1);
      assert.deepEqual([...(await context.port.beginningOffsets(name))].sort(), [
        [0, 0n],
        [1, 0n],
      ]);
      assert.deepEqual([...(await context.port.endOffsets(name))].sort(), [
        [0, 0n],
        [1, 2n],
      ]);
    });
  });
}

export function describeProducer(options: ConformanceOptions): void {
  describe('producer', () => {
    let context: ConformanceContext;
    before(() => void (context = new ConformanceContext(options)));
    after(() => context.close());

    it('writes key, value and headers to the given partition and returns its first offset', async () => {
      const topic = await context.topic({ partitions: 3 });
      const producer = await context.port.producer();
      const full = { ...textRecord(topic, 2, 'väl'), headers: { ce_id: '1', greeting: 'grüß dich ✓', empty: '' } };
      const bare = { topic, partition: 2, key: null, value: null, headers: {} };
      const empty = { topic, partition: 2, key: Buffer.alloc(0), value: Buffer.alloc(0), headers: {} };
      assert.deepEqual(await producer.send([full]), [{ topic, partition: 2, offset: 0n }]);
      assert.deepEqual(await producer.send([bare, empty, textRecord(topic, 0, 'x')]), [
        { topic, partition: 2, offset: 1n },
        { topic, partition: 0, offset: 0n },
      ]);
      const read = (await context.contents(topic)).filter((record) => record.partition === 2);
      assert.deepEqual(
        read.map(({ key, value, headers, offset }) => ({ key, value, headers, offset })),
        [full, bare, empty].map(({ key, value, headers }, offset) => ({ key, value, headers, offset: BigInt(offset) })),
      );
      assert.ok(read.every((record) => Math.abs(record.timestampMs - Date.now()) < 60_000));
    });

    it('keeps the order of each partition, over calls at the same time', async () => {
      const topic = await context.topic({ partitions: 4 });
      const producer = await context.port.producer();
      const sendAll = async (partition: number): Promise<void> => {
        for (let i = 0; i < 30; i += 1) {
          await producer.send([textRecord(topic, partition, `${i}a`), textRecord(topic, partition, `${i}b`)]);
        }
      };
      await Promise.all([0, 1, 2, 3].map(sendAll));
      const expected = numbered(0, 30).flatMap((i) => [`${i}a`, `${i}b`]);
      const read = await context.contents(topic);
      for (const partition of [0, 1, 2, 3]) {
        const texts = read.filter((record) => record.partition === partition).map((record) => String(record.value));
        assert.deepEqual(texts, expected);
      }
    });

    it('writes values of 1.5 MiB, and calls that are larger than a batch may be', async () => {
      const topic = await context.topic({ config: { 'max.message.bytes': '4194304' } });
      const large = { ...textRecord(topic, 0, ''), value: Buffer.alloc(1_572_864, 'y') };
      const small = numbered(0, 3_000).map((text) => textRecord(topic, 0, text.padStart(1_024)));
      await context.send([large, ...small, large]);
      const read = await context.contents(topic);
      assert.equal(read.length, 3_002);
      assert.ok(read[0]?.value?.equals(large.value) && read[3_001]?.value?.equals(large.value));
      assert.deepEqual(
        read.slice(1, -1).map((record) => String(record.value).trim()),
        numbered(0, 3_000),
      );
    });

    it('names what was not written and what was, when a record is too large', async () => {
      const topic = await context.topic({ partitions: 2, config: { 'max.message.bytes': '100000' } });
      const large = { ...textRecord(topic, 0, ''), value: Buffer.alloc(1_000_000, 'z') };
      const producer = await context.port.producer();
      await assert.rejects(producer.send([large, textRecord(topic, 1, 'fits')]), (error) => {
        assert.ok(error instanceof KafkaSendError);
        assert.equal(error.retryable, false);
        assert.deepEqual(error.failed, [large]);
        assert.deepEqual(error.written, [{ topic, partition: 1, offset: 0n }]);
        return true;
      });
      await producer.send([textRecord(topic, 0, 'next')]);
      assert.deepEqual(
        (await context.contents(topic)).map((record) => String(record.value)),
        ['next', 'fits'],
      );
    });

    it('refuses a partition that is not there, instead of choosing another', async () => {
      const topic = await context.topic({ partitions: 2 });
      const producer = await context.port.producer();
      await assert.rejects(producer.send([textRecord(topic, 2, 'x')]), { name: 'KafkaSendError', retryable: false });
      assert.deepEqual(await context.contents(topic), []);
    });
  });
}
