import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { KafkaSendError } from '../errors.ts';
import { BrokerLinkProxy } from './broker-link-proxy.ts';
import { ConformanceContext, type ConformanceOptions, numbered, textRecord } from './conformance-context.ts';
import { eventually } from './eventually.ts';
import { TestConsumer } from './test-consumer.ts';

export function describeOutages(options: ConformanceOptions): void {
  describe('a broker that is away', () => {
    let link: BrokerLinkProxy;
    let context: ConformanceContext;
    const unhandled: unknown[] = [];
    const note = (error: unknown): void => void unhandled.push(error);
    before(async () => {
      process.on('unhandledRejection', note);
      link = await BrokerLinkProxy.open(options.broker);
      context = new ConformanceContext(options);
    });
    after(async () => {
      link.restore();
      await context.close();
      await link.close();
      process.off('unhandledRejection', note);
      assert.deepEqual(unhandled, []);
    });

    it('fails a send within its bound, retryable, with all that is not known to be written', async () => {
      const topic = await context.topic();
      const producer = await context.port.producer({ requestTimeoutMs: 1_000 });
      await producer.send([textRecord(topic, 0, 'before')]);
      link.cut();
      const records = [textRecord(topic, 0, 'during')];
      const startedMs = performance.now();
      await assert.rejects(producer.send(records), (error) => {
        assert.ok(error instanceof KafkaSendError);
        assert.equal(error.retryable, true);
        assert.deepEqual(error.failed, records);
        return true;
      });
      assert.ok(performance.now() - startedMs < 3_000);
      link.restore();
      await eventually(() =>
        producer.send([textRecord(topic, 0, 'after')]).then(
          () => true,
          () => false,
        ),
      );
      const texts = (await context.contents(topic)).map((record) => String(record.value));
      assert.deepEqual([texts.at(0), texts.at(-1)], ['before', 'after']);
    });

    it('does not make a record twice when only the acknowledgement was lost', async () => {
      const topic = await context.topic();
      const producer = await context.port.producer();
      await producer.send([textRecord(topic, 0, 'before')]);
      link.loseAnswers();
      assert.deepEqual(await producer.send([textRecord(topic, 0, 'once')]), [{ topic, partition: 0, offset: 1n }]);
      await producer.send([textRecord(topic, 0, 'after')]);
      assert.deepEqual(
        (await context.contents(topic)).map((record) => String(record.value)),
        ['before', 'once', 'after'],
      );
    });

    it('is waited for by a send with enough time, by a consumer and by a reader', async () => {
      const topic = await context.topic();
      const consumer = await TestConsumer.start(context.port, context.group(), [topic]);
      const read: string[] = [];
      const reader = await context.port.readAll(topic, {
        from: 'beginning',
        onRecord: (record) => void read.push(String(record.value)),
        onCaughtUp: () => undefined,
      });
      await context.sendTexts(topic, ['0']);
      await consumer.received(1);
      link.cut();
      const sending = context.sendTexts(topic, numbered(1, 20));
      const cutMs = performance.now();
      await eventually(() => consumer.errors.length >= 3 && performance.now() - cutMs > 3_000);
      assert.ok(consumer.errors.length < 100, 'no busy loop');
      link.restore();
      const restoredMs = performance.now();
      await sending;
      await consumer.received(20);
      await eventually(() => read.length >= 20);
      assert.ok(performance.now() - restoredMs < 15_000, 'within a few seconds');
      assert.deepEqual([...new Set(consumer.values())], numbered(0, 20));
      assert.deepEqual(read, numbered(0, 20));
      await consumer.consumer.close();
      await reader.close();
    });

    it('does not keep anything from closing', async () => {
      const topic = await context.topic();
      const port = context.openPort();
      const consumer = await TestConsumer.start(port, context.group(), [topic]);
      await consumer.assigned(1);
      await port.readAll(topic, { from: 'beginning', onRecord: () => undefined, onCaughtUp: () => undefined });
      const joining = context.openPort();
      link.cut();
      await TestConsumer.start(joining, context.group(), [topic]);
      const startedMs = performance.now();
      await Promise.all([port.close(), joining.close()]);
      assert.ok(performance.now() - startedMs < 8_000);
      link.restore();
    });

    it('finishes and commits what is in hand before it closes, and closes once', async () => {
      const [topic, group] = [await context.topic(), context.group()];
      await context.sendTexts(topic, ['a']);
      let release: (() => void) | undefined;
      const consumer = await TestConsumer.start(context.port, group, [topic], {
        onRecords: () => new Promise<void>((resolve) => (release = resolve)),
      });
      await eventually(() => release !== undefined);
      const closing = consumer.consumer.close();
      assert.equal(consumer.consumer.close(), closing);
      release?.();
      await closing;
      assert.deepEqual(consumer.values(), ['a']);
      assert.equal((await context.port.consumerLag(group, [topic])).get(topic)?.get(0), 0n);
    });
  });
}
