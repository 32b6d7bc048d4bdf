import { accountCreated, recordCreated } from '@causeway/contracts';
import { createEvents, createKafka, onEvent } from '@causeway/events';
import { createLogger, startTelemetry } from '@causeway/telemetry';
import { MongoClient } from 'mongodb';
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { call } from '../harness/client.ts';
import { defineCollection } from '../harness/collections.ts';
import { eventually } from '../harness/eventually.ts';
import { expectStatus } from '../harness/expectations.ts';
import { admin, newEmail, signUp } from '../harness/people.ts';
import { addressOf } from '../harness/platform.ts';
import type { CollectedSpan } from '../harness/trace-collector.ts';

/** The trace of an answer, as its `traceparent` names it. */
const traceOf = (headers: Readonly<Record<string, unknown>>): string => {
  const traceId = /^00-([0-9a-f]{32})-/.exec(String(headers.traceparent))?.[1];
  assert.ok(traceId, 'the answer carries a traceparent');
  return traceId;
};

const spansOf = async (traceId: string): Promise<CollectedSpan[]> =>
  (await (await fetch(`${addressOf('traces')}/spans/${traceId}`)).json()) as CollectedSpan[];

/** One root, and every other span hangs on one that is there. */
const assertConnected = (spans: readonly CollectedSpan[]): void => {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const roots = spans.filter(({ parentSpanId }) => parentSpanId === undefined || !ids.has(parentSpanId));
  assert.deepEqual(
    roots.map(({ service, name }) => `${service}: ${name}`),
    [`gateway: ${roots[0]?.name ?? ''}`],
    'the trace has one root, at the gateway',
  );
};

/** Waits until every span that is wanted has arrived, and all that they hang on: each service sends its own when it likes. */
const traceWith = (traceId: string, wanted: Readonly<Record<string, (span: CollectedSpan) => boolean>>) =>
  eventually(async () => {
    const spans = await spansOf(traceId);
    const missing = Object.keys(wanted).filter((what) => !spans.some((span) => wanted[what]?.(span)));
    const there = spans.map(({ service, name }) => `${service}: ${name}`).join(', ');
    assert.deepEqual(missing, [], `the trace has only ${there}`);
    assertConnected(spans);
    return spans;
  });

const isMongo = (service: string) => (span: CollectedSpan) =>
  span.service === service && span.attributes['db.system.name'] === 'mongodb';
const isSend = (service: string, topic: string) => (span: CollectedSpan) =>
  span.service === service && span.name === `send ${topic}`;
const isProcess = (service: string, topic: string) => (span: CollectedSpan) =>
  span.service === service && span.name === `process ${topic}`;

describe('one write is one connected trace', () => {
  // A service of somebody's own, beside the platform: it subscribes to data's events as any back-end developer would.
  const service = `e2e${randomBytes(4).toString('hex')}`;
  const telemetry = startTelemetry({ service, version: '0', sampleRatio: 1, otlpEndpoint: addressOf('traces') });
  const logger = createLogger({ service, level: 'silent' });
  const brokers = addressOf('kafka').split(',');
  const kafka = createKafka({ driver: 'platformatic', brokers, clientId: service, logger });
  const handled = new Set<string>();
  let client: MongoClient;
  let events: ReturnType<typeof createEvents>;

  before(async () => {
    client = await MongoClient.connect(addressOf('mongodb'));
    const handler = onEvent.external({
      name: 'watch',
      on: [recordCreated],
      handle: (event) => {
        handled.add(event.id);
        return Promise.resolve();
      },
    });
    events = createEvents({ service, client, database: service, kafka, partitions: 12, logger, handlers: [handler] });
    await events.start();
  });
  after(async () => {
    await events.stop();
    await kafka.close();
    await client.db(service).dropDatabase();
    await client.close();
    await telemetry.shutdown(2_000);
  });

  it('from the gateway through auth, MongoDB and Kafka to the handler in user', async () => {
    const json = { email: newEmail(), password: 'correct horse battery staple' };
    const answer = expectStatus(await call('POST', '/v1/auth/sign-up', { json }), 201);
    const spans = await traceWith(traceOf(answer.headers), {
      MongoDB: isMongo('auth'),
      'the relay': (span) => span.service === 'auth' && span.name.startsWith('send '),
      'the handler': isProcess('user', `causeway.${accountCreated.type.split('.')[0] ?? ''}`),
      'its write': isMongo('user'),
    });
    const text = JSON.stringify(spans);
    for (const secret of [json.password, json.email])
      assert.equal(text.includes(secret), false, 'a span holds a value');
  });

  it('from the gateway through data, MongoDB, the relay and Kafka to a consumer', async () => {
    const { accessToken: token } = await signUp();
    const name = await defineCollection(await admin());
    const answer = expectStatus(await call('POST', `/v1/data/${name}`, { token, json: { title: 'traced' } }), 201);
    const [eventId] = answer.events;
    // It goes through all that was there before.
    const isHandled = (): void => assert.ok(handled.has(eventId ?? ''), 'the consumer has the event');
    await eventually(isHandled, { withinMs: 120_000 });
    await traceWith(traceOf(answer.headers), {
      MongoDB: isMongo('data'),
      'the relay': isSend('data', 'causeway.data'),
      'the consumer': isProcess(service, 'causeway.data'),
    });
  });

  it('links a caller’s trace, and does not obey its sampled flag', async () => {
    const foreign = '0af7651916cd43dd8448eb211c80319c';
    // The platform of these tests records every trace: one that its caller does not record too.
    for (const flag of ['00', '01']) {
      const headers = { traceparent: `00-${foreign}-b7ad6b7169203331-${flag}` };
      const traceId = traceOf((await call('GET', '/v1/users/me', { headers })).headers);
      assert.notEqual(traceId, foreign);
      const spans = await traceWith(traceId, { 'the gateway': ({ parentSpanId }) => parentSpanId === undefined });
      const root = spans.find(({ parentSpanId }) => parentSpanId === undefined);
      assert.deepEqual(root?.links, [foreign], `flag ${flag}`);
    }
  });
});
