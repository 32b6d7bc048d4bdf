import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { KafkaSendError } from '../errors.ts';
import type { KafkaRecord } from '../port.ts';
import { fakeWire } from '../testing/fake-wire.ts';
import { type ProduceAnswer, type ProduceBatch, type ProducerId, WireError } from '../wire.ts';
import { IdempotentProducer } from './idempotent-producer.ts';

interface Seen {
  producer: bigint;
  partition: number;
  baseSequence: number;
  texts: string[];
}

/** `written`, `lost` (no answer), or a protocol error. */
type Answer = string;

/** A broker that answers the batches as told, one after the other, and `written` from then on. */
function broker(answers: Answer[]): { seen: Seen[]; wire: ReturnType<typeof fakeWire>; most: () => number } {
  const seen: Seen[] = [];
  const inRequest = new Map<number, number>();
  let ids = 0n;
  let most = 0;
  const answer = (batch: ProduceBatch, producer: ProducerId): ProduceAnswer => {
    const { topic, partition, baseSequence, records } = batch;
    seen.push({ producer: producer.id, partition, baseSequence, texts: records.map(({ value }) => String(value)) });
    const code = answers.shift() ?? 'written';
    if (code === 'lost') throw new WireError('NETWORK');
    if (code === 'written') return { topic, partition, offset: BigInt(seen.length) };
    return { topic, partition, offset: -1n, error: new WireError(code) };
  };
  const wire = fakeWire({
    leaders: (topics) => Promise.resolve(new Map(topics.map((topic) => [topic, [1, 1, 2]]))),
    initProducer: () => Promise.resolve({ id: (ids += 1n), epoch: 0 }),
    produce: async (_node, producer, batches) => {
      for (const { partition } of batches) {
        inRequest.set(partition, (inRequest.get(partition) ?? 0) + 1);
        most = Math.max(most, inRequest.get(partition) ?? 0);
      }
      await new Promise((resolve) => setImmediate(resolve));
      for (const { partition } of batches) inRequest.set(partition, (inRequest.get(partition) ?? 0) - 1);
      return batches.map((batch) => answer(batch, producer));
    },
  });
  return { seen, wire, most: () => most };
}

const record = (text: string, partition = 0): KafkaRecord => ({
  topic: 't',
  partition,
  key: null,
  value: Buffer.from(text),
  headers: {},
});

describe('IdempotentProducer', () => {
  it('numbers each partition by itself, on and on', async () => {
    const { seen, wire } = broker([]);
    const producer = new IdempotentProducer(wire, 1_000);
    await producer.send([record('a'), record('b'), record('x', 1)]);
    await producer.send([record('c')]);
    assert.deepEqual(
      seen.map(({ partition, baseSequence }) => [partition, baseSequence]),
      [
        [0, 0],
        [1, 0],
        [0, 2],
      ],
    );
  });

  it('repeats a batch whose fate is unknown under the same number', async () => {
    const { seen, wire } = broker(['lost', 'NOT_LEADER_OR_FOLLOWER']);
    await new IdempotentProducer(wire, 1_000).send([record('a')]);
    assert.deepEqual(
      seen.map(({ producer, baseSequence }) => [producer, baseSequence]),
      [
        [1n, 0],
        [1n, 0],
        [1n, 0],
      ],
    );
  });

  it('never gives the number of a batch that was given up to another', async () => {
    const { seen, wire } = broker(Array.from({ length: 50 }, () => 'lost'));
    const producer = new IdempotentProducer(wire, 60);
    await assert.rejects(producer.send([record('given up')]), { name: 'KafkaSendError', retryable: true });
    const until = seen.length;
    await assert.rejects(producer.send([record('next')]));
    const [givenUp, next] = [seen[0], seen[until]];
    assert.deepEqual(next?.texts, ['next']);
    assert.notEqual(next.producer, givenUp?.producer);
    assert.equal(next.baseSequence, 0);
  });

  it('begins a new producer id where the broker cannot place a number', async () => {
    const { seen, wire } = broker(['written', 'OUT_OF_ORDER_SEQUENCE_NUMBER']);
    const producer = new IdempotentProducer(wire, 1_000);
    await producer.send([record('a')]);
    await producer.send([record('b')]);
    assert.deepEqual(
      seen.map((each) => [each.producer, each.baseSequence]),
      [
        [1n, 0],
        [1n, 1],
        [2n, 0],
      ],
    );
  });

  it('has one batch of a partition under way, whoever sends', async () => {
    const { seen, wire, most } = broker([]);
    const producer = new IdempotentProducer(wire, 1_000);
    await Promise.all(['a', 'b', 'c'].map((text) => producer.send([record(text)])));
    assert.equal(most(), 1);
    assert.deepEqual(
      seen.map(({ texts }) => texts),
      [['a'], ['b'], ['c']],
    );
  });

  it('sends nothing of a partition after what failed', async () => {
    const { seen, wire } = broker(['MESSAGE_TOO_LARGE']);
    const large = { ...record('large'), value: Buffer.alloc(900_000) };
    const producer = new IdempotentProducer(wire, 1_000);
    await assert.rejects(producer.send([large, record('behind'), record('elsewhere', 2)]), (error) => {
      assert.ok(error instanceof KafkaSendError);
      assert.equal(error.failed.length, 2);
      assert.deepEqual(
        error.written.map(({ partition }) => partition),
        [2],
      );
      return true;
    });
    assert.ok(!seen.some(({ texts }) => texts.includes('behind')));
  });

  it('gives up in time where nothing ever answers', async () => {
    const wire = fakeWire({ leaders: () => new Promise(() => undefined) });
    await assert.rejects(new IdempotentProducer(wire, 20).send([record('a')]), { retryable: true });
  });
});
