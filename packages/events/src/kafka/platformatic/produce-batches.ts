import {
  type Connection,
  type MessageRecord,
  NumericMap,
  ProduceAcks,
  produceV11,
  ProtocolError,
  ResponseError,
} from '@platformatic/kafka';
import type { KafkaRecord } from '../port.ts';
import { type ProduceAnswer, type ProduceBatch, type ProducerId, WireError } from '../wire.ts';

/** Sends batches of different partitions in one request. Rejects, with the library's errors, if nothing is known of any. */
export async function produceBatches(
  connection: Connection,
  producer: ProducerId,
  batches: readonly ProduceBatch[],
  timeoutMs: number,
): Promise<ProduceAnswer[]> {
  const sequences = new NumericMap();
  for (const { topic, partition, baseSequence } of batches) sequences.set(`${topic}:${partition}`, baseSequence);
  const messages = batches.flatMap(({ records }) => records.map(toMessage));
  const options = { producerId: producer.id, producerEpoch: producer.epoch, sequences };
  const response = await produceV11.api
    .async(connection, ProduceAcks.ALL, timeoutMs, messages, options)
    .catch((error: unknown) => {
      if (error instanceof ResponseError && isProduceResponse(error.response)) return error.response;
      throw error;
    });
  if (!isProduceResponse(response)) throw new WireError('UNDECODABLE');
  return response.responses.flatMap(({ name, partitionResponses }) =>
    partitionResponses.map(({ index, errorCode, baseOffset }) => ({
      topic: name,
      partition: index,
      offset: baseOffset,
      ...(errorCode === 0 ? {} : { error: new WireError(String(new ProtocolError(errorCode).apiId)) }),
    })),
  );
}

function toMessage({ topic, partition, key, value, headers }: KafkaRecord): MessageRecord {
  const message: Omit<MessageRecord, 'value'> & { value: Buffer | null } = {
    topic,
    partition,
    ...(key === null ? {} : { key }),
    value,
    headers: new Map(Object.entries(headers).map(([name, text]) => [Buffer.from(name), Buffer.from(text)])),
  };
  // The library's type forgets tombstones; its encoder does not.
  return message as MessageRecord;
}

function isProduceResponse(value: unknown): value is produceV11.ProduceResponse {
  return typeof value === 'object' && value !== null && 'responses' in value;
}
