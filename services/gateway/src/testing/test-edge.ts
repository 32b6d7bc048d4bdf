import { randomUUID } from 'node:crypto';
import { createCredentials } from '@causeway/service';
import { startTestService, testIdentity, type TestIdentity, type TestService } from '@causeway/service/testing';
import { createLogger } from '@causeway/telemetry';

import { createCors } from '../cors/cors.ts';
import { createEdge } from '../edge/edge.ts';
import type { Limits } from '../limits/limits.ts';
import { createOpenLimits, type OpenLimits } from '../limits/open-calls.ts';
import { createProxy, type ProxyOptions } from '../proxy/proxy.ts';
import { createRouter } from '../routing/routing-table.ts';

/** An edge that listens, before an upstream that stands for every service. */
export interface TestEdge extends AsyncDisposable {
  readonly service: TestService;
  readonly issuer: TestIdentity;
  readonly internalKey: string;
  /** Begins the drain. */
  drain(): void;
}

const publicUrl = 'https://api.example.test';

/** Counts nothing. */
export const noLimits: Limits = {
  byAddress: () => ({}),
  byPrincipal: () => ({}),
  signIn: () => Promise.resolve({}),
  stop: () => undefined,
};

/**
 * Starts an edge on a free port.
 *
 * @param upstreamUrl - where every service is
 * @param options - of the proxy, and limits, where the test is about them
 */
export const startTestEdge = async (
  upstreamUrl: string,
  options: Partial<ProxyOptions> & {
    readonly limits?: Limits;
    readonly open?: OpenLimits;
    readonly trustedProxies?: number;
  } = {},
): Promise<TestEdge> => {
  const issuer = await testIdentity();
  const internalKey = randomUUID();
  const draining = new AbortController();
  const proxy = createProxy({
    services: { auth: upstreamUrl, user: upstreamUrl, data: upstreamUrl },
    internalKey,
    publicUrl,
    timeoutMs: 5_000,
    connections: 32,
    feeds: 32,
    bodyLimitBytes: 64 * 1_024,
    importLimitBytes: 1_048_576 * 64,
    draining: draining.signal,
    ...options,
  });
  const intercept = createEdge({
    findRoute: createRouter(),
    methodsAt: (path) => Promise.resolve(path === '/v1/users/me' ? ['GET', 'HEAD', 'OPTIONS', 'PATCH'] : []),
    identity: issuer.identity,
    credentials: createCredentials(publicUrl),
    cors: createCors(['http://localhost:*', 'https://app.example.test']),
    limits: options.limits ?? noLimits,
    open: options.open ?? createOpenLimits(100, 50),
    proxy,
    publicUrl,
    trustedProxies: options.trustedProxies ?? 0,
    logger: createLogger({ service: 'test', level: 'silent' }),
  });
  const service = await startTestService([], { edge: true, identity: issuer.identity, intercept, internalKey });
  return {
    service,
    issuer,
    internalKey,
    drain: () => draining.abort(),
    [Symbol.asyncDispose]: async () => {
      await service.stop();
      await proxy.close();
    },
  };
};
