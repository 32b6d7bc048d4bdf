import type { KafkaRecord, TopicPartition } from '../port.ts';

/**
 * Below Kafka's own default of `max.message.bytes` (1,048,588), which bounds a batch and not a record; a topic that allows larger ones
 * still takes smaller. A record that is larger travels alone.
 */
export const MAX_BATCH_BYTES = 900_000;

/** Of a record, beside its bytes: lengths, offset and time deltas (at most 5 variable-length integers), generously. */
const RECORD_OVERHEAD_BYTES = 64;

export interface PartitionBatches extends TopicPartition {
  /** In order. */
  batches: KafkaRecord[][];
}

/** Groups records by partition, in their order, into batches that a topic's size limit allows. */
export function toPartitionBatches(records: readonly KafkaRecord[], maxBytes = MAX_BATCH_BYTES): PartitionBatches[] {
  const partitions = new Map<string, PartitionBatches & { roomBytes: number }>();
  for (const record of records) {
    const key = `${record.topic}/${record.partition}`;
    let entry = partitions.get(key);
    if (!entry) {
      entry = { topic: record.topic, partition: record.partition, batches: [], roomBytes: -1 };
      partitions.set(key, entry);
    }
    const sizeBytes = sizeOf(record);
    const current = entry.batches.at(-1);
    if (current && sizeBytes <= entry.roomBytes) {
      current.push(record);
      entry.roomBytes -= sizeBytes;
    } else {
      entry.batches.push([record]);
      entry.roomBytes = maxBytes - sizeBytes;
    }
  }
  return [...partitions.values()];
}

export function sizeOf({ key, value, headers }: KafkaRecord): number {
  let bytes = RECORD_OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
  for (const [name, text] of Object.entries(headers)) bytes += Buffer.byteLength(name) + Buffer.byteLength(text) + 10;
  return bytes;
}
