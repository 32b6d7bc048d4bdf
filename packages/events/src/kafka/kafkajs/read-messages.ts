import type { RawMessage } from 'kafkajs/src/broker/index.js';
import { doubledOf } from '../doubled-headers.ts';
import type { FetchedRecord, TopicPartitionOffset } from '../port.ts';

/**
 * Turns what kafkajs decoded of one partition into records from the asked offset on; a batch is sent whole, so there may be older ones.
 *
 * @returns Where to go on: behind the last batch that holds records, or the asked offset if none does.
 */
export function readMessages(
  ask: TopicPartitionOffset,
  messages: readonly RawMessage[],
): { records: FetchedRecord[]; next: bigint } {
  const records: FetchedRecord[] = [];
  let next = ask.offset;
  for (const message of messages) {
    const { firstOffset, lastOffsetDelta } = message.batchContext;
    const end = BigInt(firstOffset) + BigInt(lastOffsetDelta) + 1n;
    if (end > next) next = end;
    const offset = BigInt(message.offset);
    if (offset < ask.offset || message.isControlRecord) continue;
    records.push({
      topic: ask.topic,
      partition: ask.partition,
      offset,
      timestampMs: Number(message.timestamp),
      key: message.key,
      value: message.value,
      headers: Object.fromEntries(Object.entries(message.headers).map(([name, value]) => [name, lastText(value)])),
      ...doubledOf(Object.entries(message.headers).flatMap(([name, value]) => (Array.isArray(value) ? [name] : []))),
    });
  }
  return { records, next };
}

function lastText(value: Buffer | Buffer[] | null): string {
  const last = Array.isArray(value) ? value.at(-1) : value;
  return last?.toString('utf8') ?? '';
}
