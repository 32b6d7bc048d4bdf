import { type fetchV17, IS_CONTROL, ProtocolError, type RecordsBatch } from '@platformatic/kafka';
import { doubledOf } from '../doubled-headers.ts';
import type { FetchedRecord } from '../port.ts';
import { type FetchAnswer, type FetchAsk, WireError } from '../wire.ts';

/** Bit 3 of a batch's attributes: its time stamp is the broker's, and is that of every record in it. */
const IS_LOG_APPEND_TIME = 1 << 3;

/** Turns a fetch response into one answer for each partition that was asked for. */
export function readFetchResponse(
  response: fetchV17.FetchResponse,
  asks: readonly FetchAsk[],
  topicId: (topic: string) => string,
): FetchAnswer[] {
  const idOf = new Map(asks.map(({ topic }) => [topic, topicId(topic)]));
  return asks.flatMap((ask) => {
    const partition = response.responses
      .find((each) => each.topicId === idOf.get(ask.topic))
      ?.partitions.find((each) => each.partitionIndex === ask.partition);
    if (!partition) return [];
    const { topic, partition: index, offset } = ask;
    if (partition.errorCode !== 0) {
      const { apiId } = new ProtocolError(partition.errorCode);
      return [{ topic, partition: index, records: [], next: offset, error: new WireError(String(apiId)) }];
    }
    return [{ topic, partition: index, ...readBatches(ask, partition.records ?? []) }];
  });
}

/** A batch is sent whole: what is before the asked offset is left out here. */
function readBatches(ask: FetchAsk, batches: readonly RecordsBatch[]): { records: FetchedRecord[]; next: bigint } {
  const records: FetchedRecord[] = [];
  let next = ask.offset;
  for (const batch of batches) {
    const end = batch.firstOffset + BigInt(batch.lastOffsetDelta) + 1n;
    if (end > next) next = end;
    if (batch.attributes & IS_CONTROL) continue;
    for (const record of batch.records) {
      const offset = batch.firstOffset + BigInt(record.offsetDelta);
      if (offset < ask.offset) continue;
      const timestamp =
        batch.attributes & IS_LOG_APPEND_TIME ? batch.maxTimestamp : batch.firstTimestamp + record.timestampDelta;
      const names = record.headers.map(([name]) => text(name));
      records.push({
        topic: ask.topic,
        partition: ask.partition,
        offset,
        timestampMs: Number(timestamp),
        key: record.key,
        value: record.value,
        headers: Object.fromEntries(record.headers.map(([name, value]) => [text(name), text(value)])),
        ...doubledOf(names.filter((name, at) => names.indexOf(name) < at)),
      });
    }
  }
  return { records, next };
}

function text(bytes: Buffer | null): string {
  return bytes?.toString('utf8') ?? '';
}
