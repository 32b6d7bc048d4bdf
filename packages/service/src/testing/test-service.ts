import { randomUUID } from 'node:crypto';
import { createLogger, type Logger } from '@causeway/telemetry';

import { createApp, type AppOptions } from '../http/app.ts';
import { createHttpServer, listen } from '../http/http-server.ts';
import { internalKeyHeader } from '../http/internal-key.ts';
import type { Route } from '../http/route.ts';

/** A service that listens on a port of its own, for a test. */
export interface TestService extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** The header by which another service proves itself. */
  readonly internalHeaders: Readonly<Record<string, string>>;
  /** Lines that were logged, parsed. */
  readonly logged: readonly Readonly<Record<string, unknown>>[];
  /** `fetch` against the service, without following redirects. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Begins the drain: what long answers end by. */
  drain(): void;
  stop(): Promise<void>;
}

const collectingLogger = (lines: Record<string, unknown>[]): Logger =>
  createLogger({
    service: 'test',
    level: 'debug',
    stream: { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
  });

/**
 * Serves routes on a free port, as a service would.
 *
 * @param routes - to be served
 * @param options - identity and whatever else of the app the test is about
 */
export const startTestService = async (
  routes: readonly Route[],
  options: Partial<Omit<AppOptions, 'routes' | 'draining'>> = {},
): Promise<TestService> => {
  const logged: Record<string, unknown>[] = [];
  const internalKey = options.internalKey ?? randomUUID();
  const publicUrl = options.publicUrl ?? 'http://causeway.test';
  const draining = new AbortController();
  const listener = createApp({
    name: 'test',
    logger: collectingLogger(logged),
    ...options,
    publicUrl,
    internalKey,
    draining: draining.signal,
    routes,
  });
  const server = createHttpServer({ listener, publicUrl });
  const port = await listen(server, 0, '127.0.0.1');
  const url = `http://127.0.0.1:${port}`;
  const stop = async (): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    server.close(() => resolve(undefined));
    server.closeAllConnections();
    await promise;
  };
  return {
    url,
    port,
    internalHeaders: { [internalKeyHeader]: internalKey },
    logged,
    fetch: (path, init) => fetch(`${url}${path}`, { redirect: 'manual', ...init }),
    drain: () => draining.abort(),
    stop,
    [Symbol.asyncDispose]: stop,
  };
};
