import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KafkaRecord } from '../port.ts';
import { sizeOf, toPartitionBatches } from './record-batches.ts';

const record = (topic: string, partition: number, sizeBytes: number): KafkaRecord => ({
  topic,
  partition,
  key: null,
  value: Buffer.alloc(sizeBytes),
  headers: {},
});

describe('toPartitionBatches', () => {
  it('groups by topic and partition in the order of the call', () => {
    const records = [record('t', 1, 1), record('t', 0, 1), record('u', 1, 1), record('t', 1, 2)];
    assert.deepEqual(
      toPartitionBatches(records).map(({ topic, partition, batches }) => [topic, partition, batches]),
      [
        ['t', 1, [[records[0], records[3]]]],
        ['t', 0, [[records[1]]]],
        ['u', 1, [[records[2]]]],
      ],
    );
  });

  it('begins a new batch before the limit is passed, and sends what is larger alone', () => {
    const records = [400, 400, 400, 5_000, 400].map((size) => record('t', 0, size));
    const [{ batches } = { batches: [] }] = toPartitionBatches(records, 1_000);
    assert.deepEqual(
      batches.map((batch) => batch.map((each) => each.value?.length)),
      [[400, 400], [400], [5_000], [400]],
    );
    for (const batch of batches.filter((each) => each.length > 1)) {
      assert.ok(batch.reduce((sum, each) => sum + sizeOf(each), 0) <= 1_000);
    }
  });

  it('counts key, value and headers by their bytes', () => {
    const bare = sizeOf({ topic: 't', partition: 0, key: null, value: null, headers: {} });
    const full = sizeOf({
      topic: 't',
      partition: 0,
      key: Buffer.from('12'),
      value: Buffer.from('345'),
      headers: { ä: '✓' },
    });
    assert.ok(full >= bare + 2 + 3 + 2 + 3);
  });
});
