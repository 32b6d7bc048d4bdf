import { randomUUID } from 'node:crypto';
import { accountCreated, newEventId, schemaUrn, topicOf, toSequence, type EventEnvelope } from '@causeway/contracts';
import { toBinary } from '@causeway/events';
import kafkajs from 'kafkajs';
import { addressOf } from './platform.ts';

/**
 * An `auth.account.created` as another producer than auth would send it, right or wrong.
 *
 * @param id - the account's
 * @param revision - its `sequence`
 */
export const accountEvent = (id: string, revision: number, data: Readonly<Record<string, unknown>>): EventEnvelope => ({
  specversion: '1.0',
  id: newEventId(),
  type: accountCreated.type,
  source: '/causeway/auth',
  subject: `account/${id}`,
  sequence: toSequence(revision),
  time: new Date().toISOString(),
  datacontenttype: 'application/json',
  dataschema: schemaUrn(accountCreated),
  correlationid: randomUUID(),
  authtype: 'system',
  data,
});

/** Puts events on auth's topic, past auth. */
export async function publishAsAuth(events: readonly EventEnvelope[]): Promise<void> {
  const kafka = new kafkajs.Kafka({ brokers: [addressOf('kafka')], logLevel: kafkajs.logLevel.NOTHING });
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
  const messages = events.map((event) => toBinary(event));
  await producer.send({ topic: topicOf('auth'), messages });
  await producer.disconnect();
}
