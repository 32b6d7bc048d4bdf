import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor, type ReadableSpan } from '@opentelemetry/sdk-trace';
import { Agent } from 'undici';

import { clientSpans } from './http-client-span.ts';
import { serverSpans, setSpanRoute } from './http-server-span.ts';
import { startProducerSpan, withBatchSpan, withProcessSpan } from './messaging-span.ts';
import { startTelemetry } from './start-telemetry.ts';
import { currentTraceContext } from './trace-context.ts';

const exporter = new InMemorySpanExporter();
const telemetry = startTelemetry({
  service: 'test',
  version: '1.2.3',
  sampleRatio: 1,
  spanProcessor: new SimpleSpanProcessor({ exporter }),
});
after(() => telemetry.shutdown(1_000));

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';

const serve = async (trustIncoming: boolean) => {
  const spans = serverSpans({ trustIncoming: () => trustIncoming });
  const seen: { headers: NodeJS.Dict<string | string[]>; context: object }[] = [];
  const listener: RequestListener = (request, response) =>
    spans(request, response, () => {
      setSpanRoute(response, '/things/{id}');
      seen.push({ headers: request.headers, context: currentTraceContext() });
      response.statusCode = request.url?.startsWith('/things/broken') === true ? 500 : 200;
      response.end();
    });
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, seen, close: () => new Promise((resolve) => server.close(resolve).closeAllConnections()) };
};

const until = async (count: number): Promise<ReadableSpan[]> => {
  const deadline = Date.now() + 30_000;
  while (exporter.getFinishedSpans().length < count) {
    assert.ok(Date.now() < deadline, `no ${count} spans within 30 s`);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return exporter.getFinishedSpans();
};

describe('server spans', () => {
  let edge: Awaited<ReturnType<typeof serve>>;
  let inner: Awaited<ReturnType<typeof serve>>;
  before(async () => {
    edge = await serve(false);
    inner = await serve(true);
  });
  after(async () => {
    await edge.close();
    await inner.close();
  });
  beforeEach(() => exporter.reset());

  it('are named by the route, and hold no query', async () => {
    await fetch(`${edge.url}/things/7?filter=secret`);
    const [span] = await until(1);
    assert.equal(span?.name, 'GET /things/{id}');
    assert.equal(span.kind, SpanKind.SERVER);
    assert.deepEqual(span.attributes, {
      'http.request.method': 'GET',
      'http.response.status_code': 200,
      'http.route': '/things/{id}',
      'url.path': '/things/7',
      'url.scheme': 'http',
    });
    assert.equal(span.resource.attributes['service.name'], 'test');
    assert.equal(span.resource.attributes['service.version'], '1.2.3');
  });

  it('link the trace of a caller from outside, and do not obey its flag', async () => {
    await fetch(`${edge.url}/things/7`, { headers: { traceparent: `00-${traceId}-${spanId}-00` } });
    const [span] = await until(1);
    assert.notEqual(span?.spanContext().traceId, traceId);
    assert.equal(span?.links[0]?.context.traceId, traceId);
    assert.equal(span.parentSpanContext, undefined);
  });

  it('continue the trace of a caller of ours', async () => {
    await fetch(`${inner.url}/things/7`, { headers: { traceparent: `00-${traceId}-${spanId}-01` } });
    const [span] = await until(1);
    assert.equal(span?.spanContext().traceId, traceId);
    assert.equal(span.parentSpanContext?.spanId, spanId);
  });

  it('are not recorded where our caller did not, and its trace goes on', async () => {
    await fetch(`${inner.url}/things/7`, { headers: { traceparent: `00-${traceId}-${spanId}-00` } });
    assert.deepEqual(inner.seen.at(-1)?.context, { traceparent: `00-${traceId}-${spanId}-00` });
    await fetch(`${inner.url}/things/8`);
    assert.equal((await until(1)).length, 1);
  });

  it('fail with a 5xx', async () => {
    await fetch(`${edge.url}/things/broken`);
    const [span] = await until(1);
    assert.equal(span?.status.code, SpanStatusCode.ERROR);
    assert.equal(span.attributes['error.type'], '500');
  });

  it('are measured, by route', async () => {
    await fetch(`${edge.url}/things/7`);
    await until(1);
    const text = await telemetry.metricsText();
    assert.match(text, /http_server_request_duration_bucket\{[^}]*http_route="\/things\/\{id\}"[^}]*le="0\.001"/);
    assert.match(text, /http_server_request_duration_count\{[^}]*http_response_status_code="500"/);
    assert.match(text, /nodejs_eventloop_delay_p99/);
  });

  it('are the parents of client spans, whose context the next service gets', async () => {
    const agent = new Agent().compose(clientSpans());
    const tracer = trace.getTracer('test');
    await tracer.startActiveSpan('caller', async (caller) => {
      const answer = await agent.request({
        origin: inner.url,
        path: '/things/9?q=1',
        method: 'GET',
        headers: { TraceParent: `00-${'c'.repeat(32)}-${spanId}-01`, 'x-kept': 'yes' },
      });
      await answer.body.dump();
      caller.end();
    });
    const spans = await until(3);
    const client = spans.find((each) => each.kind === SpanKind.CLIENT);
    const server = spans.find((each) => each.kind === SpanKind.SERVER);
    const caller = spans.find((each) => each.name === 'caller');
    assert.equal(client?.parentSpanContext?.spanId, caller?.spanContext().spanId);
    assert.equal(server?.parentSpanContext?.spanId, client?.spanContext().spanId);
    assert.equal(client?.attributes['url.path'], '/things/9');
    assert.equal(client.attributes['http.response.status_code'], 200);
    assert.equal(inner.seen.at(-1)?.headers['x-kept'], 'yes');
    await agent.close();
  });

  it('end with an error where the other side is not there', async () => {
    const agent = new Agent().compose(clientSpans());
    await assert.rejects(agent.request({ origin: 'http://127.0.0.1:1', path: '/', method: 'GET' }));
    const [span] = await until(1);
    assert.equal(span?.status.code, SpanStatusCode.ERROR);
    await agent.close();
  });
});

describe('spans of messages', () => {
  beforeEach(() => exporter.reset());

  it('continue the write of an event through the send and the handler', async () => {
    const event = { id: 'e1', type: 'user.profile.created', traceparent: `00-${traceId}-${spanId}-01` };
    startProducerSpan({ destination: 'causeway.user', partition: 3 }, [event]).end();
    await withProcessSpan(event, { destination: 'causeway.user', handler: 'create-profile' }, () => {
      assert.match(currentTraceContext().traceparent ?? '', new RegExp(`^00-${traceId}-`));
    });
    const [send, process] = await until(2);
    assert.equal(send?.name, 'send causeway.user');
    assert.equal(send.spanContext().traceId, traceId);
    assert.equal(process?.name, 'process causeway.user');
    assert.equal(process.parentSpanContext?.spanId, spanId);
    assert.equal(process.attributes['messaging.message.id'], 'e1');
  });

  it('link the writes of a batch', async () => {
    const other = '1af7651916cd43dd8448eb211c80319c';
    const events = [traceId, other].map((each) => ({ traceparent: `00-${each}-${spanId}-01` }));
    startProducerSpan({ destination: 'causeway.user', batchSize: 2 }, events).end();
    const [send] = await until(1);
    assert.deepEqual(
      send?.links.map((each) => each.context.traceId),
      [traceId, other],
    );
  });

  it('link the writes of all events that a handler takes together', async () => {
    const other = '1af7651916cd43dd8448eb211c80319c';
    const events = [traceId, other].map((each) => ({ traceparent: `00-${each}-${spanId}-01` }));
    let within: string | undefined;
    await withBatchSpan(events, { destination: 'causeway.user', handler: 'tally' }, () => {
      within = currentTraceContext().traceparent;
    });
    const [span] = await until(1);
    assert.equal(span?.name, 'process causeway.user');
    assert.equal(span.kind, SpanKind.CONSUMER);
    assert.equal(span.parentSpanContext, undefined);
    assert.deepEqual(
      span.links.map(({ context }) => context.traceId),
      [traceId, other],
    );
    assert.equal(span.attributes['messaging.batch.message_count'], 2);
    assert.equal(span.attributes['messaging.operation.name'], 'tally');
    assert.match(within ?? '', new RegExp(`^00-${span.spanContext().traceId}-`));
  });

  it('begin a trace of their own, linked to the write, where the event is handled long after it', async () => {
    const event = { id: 'e1', type: 'user.profile.created', traceparent: `00-${traceId}-${spanId}-01` };
    let within: string | undefined;
    await withProcessSpan(event, { destination: 'causeway.user', apart: true }, () => {
      within = currentTraceContext().traceparent;
    });
    const [span] = await until(1);
    assert.equal(span?.parentSpanContext, undefined);
    assert.notEqual(span?.spanContext().traceId, traceId);
    assert.deepEqual(
      span?.links.map(({ context }) => [context.traceId, context.spanId]),
      [[traceId, spanId]],
    );
    assert.match(within ?? '', new RegExp(`^00-${span.spanContext().traceId}-`));
  });

  it('fail with their handler, and pass the failure on', async () => {
    const event = { id: 'e1', type: 'user.profile.created' };
    const failing = withProcessSpan(event, { destination: 'causeway.user' }, () => Promise.reject(new TypeError('no')));
    await assert.rejects(failing, /no/);
    const [span] = await until(1);
    assert.equal(span?.status.code, SpanStatusCode.ERROR);
    assert.equal(span.attributes['error.type'], 'TypeError');
  });
});
