import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Producer } from '@platformatic/kafka';
import type { FetchedRecord } from '../port.ts';
import { ConformanceContext, type ConformanceOptions, numbered } from './conformance-context.ts';
import { eventually } from './eventually.ts';

export function describeReadAll(options: ConformanceOptions): void {
  describe('readAll', () => {
    let context: ConformanceContext;
    before(() => void (context = new ConformanceContext(options)));
    after(() => context.close());

    it('reads a compacted topic from its beginning, says when it has caught up, and follows', async () => {
      const topic = await context.topic({ partitions: 3, config: { 'cleanup.policy': 'compact' } });
      for (const partition of [0, 1, 2]) await context.sendTexts(topic, numbered(0, 50), partition);
      const records: FetchedRecord[] = [];
      const caughtUpAt: number[] = [];
      let inHand = 0;
      const stop = new AbortController();
      await context.port.readAll(topic, {
        from: 'beginning',
        signal: stop.signal,
        onRecord: async (record) => {
          inHand += 1;
          assert.equal(inHand, 1, 'one record at a time');
          await Promise.resolve();
          records.push(record);
          inHand -= 1;
        },
        onCaughtUp: () => void caughtUpAt.push(records.length),
      });
      await eventually(() => caughtUpAt.length > 0);
      assert.deepEqual(caughtUpAt, [150]);
      await context.sendTexts(topic, ['later'], 2);
      await eventually(() => records.length === 151);
      assert.equal(String(records.at(-1)?.value), 'later');
      stop.abort();
      await context.sendTexts(topic, ['too late'], 2);
      assert.equal((await context.contents(topic)).length, 152);
      assert.equal(records.length, 151);
      assert.equal(caughtUpAt.length, 1);
    });

    it('reads batches in every codec that Kafka has', async () => {
      const topic = await context.topic();
      const producer = new Producer({ clientId: 'codecs', bootstrapBrokers: [context.options.broker] });
      const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
      for (const compression of codecs) {
        const messages = ['a', 'b'].map((which) => ({
          topic,
          partition: 0,
          value: Buffer.from(`${compression} ${which} `.repeat(500)),
          headers: new Map([[Buffer.from('ce_id'), Buffer.from(which)]]),
        }));
        await producer.send({ messages, compression, acks: -1 });
      }
      await producer.close();
      const read = await context.contents(topic);
      assert.deepEqual(
        read.map(({ value, headers }) => [String(value), headers.ce_id]),
        codecs.flatMap((codec) => ['a', 'b'].map((which) => [`${codec} ${which} `.repeat(500), which])),
      );
    });

    it('has caught up at once where there is nothing', async () => {
      const topic = await context.topic({ partitions: 2 });
      assert.deepEqual(await context.contents(topic), []);
    });

    it('reads from a time: what is older is passed over, and a partition without anything so young is followed', async () => {
      const topic = await context.topic({ partitions: 2 });
      await context.sendTexts(topic, ['old'], 0);
      await context.sendTexts(topic, ['old too'], 1);
      const newestMs = Math.max(...(await context.contents(topic)).map(({ timestampMs }) => timestampMs));
      await eventually(() => Date.now() > newestMs + 1);
      await context.sendTexts(topic, ['young'], 0);
      const seen: string[] = [];
      let caughtUp = false;
      const reader = await context.port.readAll(topic, {
        from: { sinceMs: newestMs + 1 },
        onRecord: (record) => void seen.push(String(record.value)),
        onCaughtUp: () => (caughtUp = true),
      });
      await eventually(() => caughtUp);
      assert.deepEqual(seen, ['young']);
      await context.sendTexts(topic, ['younger'], 1);
      await eventually(() => seen.length === 2);
      await reader.close();
      assert.deepEqual(seen, ['young', 'younger']);
    });

    it('stops when a record cannot be taken, and says so', async () => {
      const topic = await context.topic();
      await context.sendTexts(topic, ['a', 'b']);
      const errors: Error[] = [];
      const seen: string[] = [];
      const reader = await context.port.readAll(topic, {
        from: 'beginning',
        onRecord: (record) => {
          seen.push(String(record.value));
          throw new Error('cannot take it');
        },
        onCaughtUp: () => assert.fail('has not caught up'),
        onError: (error) => void errors.push(error),
      });
      await eventually(() => errors.length > 0);
      await reader.close();
      assert.deepEqual(seen, ['a']);
      assert.deepEqual(
        errors.map((error) => error.message),
        ['cannot take it'],
      );
    });
  });
}
