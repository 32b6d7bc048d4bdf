import kafkajs from 'kafkajs';

/** What Kafka has told of the lines of an import. */
export interface LinesTold {
  /** How many lines an event tells of. */
  readonly lines: number;
  /** Lines of which two events tell: of one event more than one message is allowed. */
  readonly twice: readonly number[];
}

/** No message for so long: there is none left. */
const silenceMs = 60_000;

/**
 * Counts the events that tell of an import's records, each of which has the number of its line in `n`. Reads the topic of data from its beginning,
 * and holds of each line no more than the id of its event.
 *
 * @param brokers - as `KAFKA_BROKERS` wants them
 * @param collection - the name of the collection
 * @param lines - reads until it has been told of so many, or nothing comes any more
 */
export async function linesTold(brokers: string, collection: string, lines: number): Promise<LinesTold> {
  const kafka = new kafkajs.Kafka({ clientId: 'e2e', brokers: brokers.split(','), logLevel: kafkajs.logLevel.NOTHING });
  const consumer = kafka.consumer({ groupId: `e2e-${collection}` });
  const ids = new Map<number, string>();
  const twice: number[] = [];
  const { promise: over, resolve } = Promise.withResolvers<undefined>();
  const silence = setTimeout(() => resolve(undefined), silenceMs);
  await consumer.connect();
  await consumer.subscribe({ topic: 'causeway.data', fromBeginning: true });
  await consumer.run({
    eachBatch: ({ batch }) => {
      silence.refresh();
      for (const { headers, value } of batch.messages) {
        if (String(headers?.ce_type) !== 'data.record.created') continue;
        const data = JSON.parse(String(value)) as {
          readonly collection: string;
          readonly fields: { readonly n: number };
        };
        if (data.collection !== collection) continue;
        const id = String(headers?.ce_id);
        const before = ids.get(data.fields.n);
        ids.set(data.fields.n, id);
        if (before !== undefined && before !== id) twice.push(data.fields.n);
      }
      if (ids.size >= lines) resolve(undefined);
      return Promise.resolve();
    },
  });
  await over;
  clearTimeout(silence);
  await consumer.disconnect();
  return { lines: ids.size, twice };
}
