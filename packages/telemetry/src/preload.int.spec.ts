import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string };
}

interface ReceivedSpan {
  readonly name: string;
  readonly traceId: string;
  /** 2 is an error. */
  readonly status?: { readonly code?: number };
  readonly attributes: readonly Attribute[];
}

interface TraceRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly {
      readonly scope: { readonly name: string };
      readonly spans: readonly ReceivedSpan[];
    }[];
  }[];
}

/** Stands where a collector would: takes OTLP over HTTP as JSON. */
const collector = async () => {
  const received: { readonly url: string; readonly body: string }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      received.push({ url: request.url ?? '', body: Buffer.concat(chunks).toString('utf8') });
      response.setHeader('Content-Type', 'application/json').end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, received, close: () => server.close() };
};

const run = async (environment: NodeJS.ProcessEnv) => {
  const folder = path.resolve(import.meta.dirname);
  const child = spawn(
    process.execPath,
    [
      '--conditions=development',
      '--import',
      '@causeway/telemetry/preload',
      path.join(folder, 'testing', 'traced-child.ts'),
    ],
    { cwd: folder, env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, 'exit')) as [number | null];
  return { code, output };
};

describe('the preload', () => {
  let otlp: Awaited<ReturnType<typeof collector>>;
  before(async () => (otlp = await collector()));
  after(() => otlp.close());

  it('sends one connected trace with a span of each instrumented library, and no values', async () => {
    const { code, output } = await run({ OTEL_EXPORTER_OTLP_ENDPOINT: otlp.url, TRACE_SAMPLE_RATIO: '1' });
    assert.equal(code, 0, output);
    const bodies = otlp.received.filter((each) => each.url === '/v1/traces').map((each) => each.body);
    const requests = bodies.map((each) => JSON.parse(each) as TraceRequest);
    const scopes = requests.flatMap((each) => each.resourceSpans).flatMap((each) => each.scopeSpans);
    const child = scopes.flatMap((each) => each.spans).find((each) => each.name === 'child');
    for (const library of ['mongodb', 'ioredis']) {
      const spans = scopes.filter((each) => each.scope.name.endsWith(library)).flatMap((each) => each.spans);
      const traced = spans.filter((each) => each.traceId === child?.traceId);
      assert.equal(traced.length, 1, `${library}: ${JSON.stringify(scopes.map((each) => each.scope.name))}`);
    }
    const failing = scopes.flatMap((each) => each.spans).find((each) => each.name === 'failing');
    const failed = scopes.flatMap(({ scope, spans }) =>
      spans.filter(({ traceId, status }) => traceId === failing?.traceId && status?.code === 2).map(() => scope.name),
    );
    assert.equal(failed.length, 2, 'what failed says so');
    assert.doesNotMatch(bodies.join(), /secret|E11000/);
    const [resource] = requests.flatMap((each) => each.resourceSpans);
    const name = resource?.resource.attributes.find((each) => each.key === 'service.name');
    assert.equal(name?.value.stringValue, 'telemetry');
    assert.ok(otlp.received.some((each) => each.url === '/v1/metrics'));
  });

  it('makes no noise and sends nothing without an endpoint', async () => {
    const before = otlp.received.length;
    const { code, output } = await run({ OTEL_EXPORTER_OTLP_ENDPOINT: '', TRACE_SAMPLE_RATIO: '1' });
    assert.equal(code, 0, output);
    assert.equal(output, '');
    assert.equal(otlp.received.length, before);
  });

  it('does not hold a process up where the collector is away', async () => {
    const startedAt = performance.now();
    const { code, output } = await run({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', TRACE_SAMPLE_RATIO: '1' });
    assert.equal(code, 0, output);
    assert.equal(output, '');
    assert.ok(performance.now() - startedAt < 30_000);
  });
});
