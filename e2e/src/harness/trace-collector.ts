import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A span, as far as the specs look at it. */
export interface CollectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Absent for the root of a trace. */
  readonly parentSpanId?: string;
  readonly name: string;
  /** The service that made it. */
  readonly service: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** The traces that it refers to. */
  readonly links: readonly string[];
}

interface Attribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

interface OtlpTraces {
  readonly resourceSpans?: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly {
      readonly spans: readonly (Omit<CollectedSpan, 'service' | 'attributes' | 'links'> & {
        readonly attributes?: readonly Attribute[];
        readonly links?: readonly { readonly traceId: string }[];
      })[];
    }[];
  }[];
}

/** Spans of the newest traces that are kept. */
const spanLimit = 50_000;

const read = async (request: IncomingMessage): Promise<OtlpTraces> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString('utf8')) as OtlpTraces;
};

const flat = (attributes: readonly Attribute[] = []): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

const spansOf = ({ resourceSpans = [] }: OtlpTraces): CollectedSpan[] =>
  resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        traceId: span.traceId,
        spanId: span.spanId,
        ...(span.parentSpanId === undefined || span.parentSpanId === '' ? {} : { parentSpanId: span.parentSpanId }),
        name: span.name,
        service: String(flat(resource.attributes)['service.name']),
        attributes: flat(span.attributes),
        links: (span.links ?? []).map(({ traceId }) => traceId),
      })),
    ),
  );

/**
 * Takes spans as an OpenTelemetry collector does (OTLP over HTTP, JSON), and gives those of a trace, or all: `GET /spans/{traceId}`,
 * `GET /spans`.
 *
 * @returns its address, and a function that ends it
 */
export const startTraceCollector = async (): Promise<{ url: string; close: () => void }> => {
  let spans: CollectedSpan[] = [];
  const server = createServer((request, response) => {
    const { url = '/', method } = request;
    if (method === 'POST' && url === '/v1/traces') {
      void read(request).then((traces) => {
        spans = [...spans, ...spansOf(traces)].slice(-spanLimit);
        response.end('{}');
      });
      return;
    }
    const traceId = /^\/spans\/(\w+)$/.exec(url)?.[1];
    request.resume();
    if (url === '/spans') {
      response.end(JSON.stringify(spans));
      return;
    }
    response.end(traceId === undefined ? '{}' : JSON.stringify(spans.filter((span) => span.traceId === traceId)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
};
