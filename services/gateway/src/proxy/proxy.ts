import { faults, type ServiceName } from '@causeway/contracts';
import {
  asksForWebSocket,
  cookieNames,
  createLinkPool,
  mediaTypeOf,
  upgradeOf,
  type Exchange,
} from '@causeway/service';
import { clientSpans, setSpanRoute } from '@causeway/telemetry';
import { Pool, type Dispatcher } from 'undici';

import { isFeed, takesSockets } from '../routing/is-feed.ts';
import type { ServiceRoute } from '../routing/routing-table.ts';
import { Forward } from './forward.ts';
import { requestBody, type BodyTimeouts } from './request-body.ts';
import { requestHeaders } from './request-headers.ts';

/** What a proxy is made of. */
export interface ProxyOptions {
  /** Base URLs. */
  readonly services: Readonly<Record<ServiceName, string>>;
  readonly internalKey: string;
  readonly publicUrl: string;
  readonly timeoutMs: number;
  /** Most calls that one service has at the same time. */
  readonly connections: number;
  /** Most feeds that are open at the same time. */
  readonly feeds: number;
  readonly bodyLimitBytes: number;
  readonly importLimitBytes: number;
  /** How long a client may take over its body. */
  readonly bodyTimeouts?: BodyTimeouts;
  /** Aborted when the gateway begins to stop: feeds end. */
  readonly draining: AbortSignal;
}

/** One call to be passed on. */
export interface ProxiedCall {
  readonly exchange: Exchange;
  readonly route: ServiceRoute;
  readonly path: string;
  readonly clientAddress: string;
  /** Whether a token says who calls. */
  readonly signedIn: boolean;
  /** Headers of the answer besides those that all have, by lower-case name. */
  readonly extra: Readonly<Record<string, string>>;
}

/** Passes calls on to the services. */
export interface Proxy {
  /**
   * @returns when the answer has begun: of what goes on for long, nothing waits
   * @throws Fault where the service gave no answer
   */
  forward(call: ProxiedCall): Promise<void>;
  close(): Promise<void>;
}

const connectTimeoutMs = 3_000;
/** Shorter than a service keeps an idle connection (75 s): never sent into one that is being closed. */
const idleConnectionMs = 30_000;
/**
 * What of an import is sent and not taken yet, some megabytes in buffers on the way, is written batch by batch before it is answered; each may wait
 * for what was recorded before to be published.
 */
const importPatience = 10;
/** A feed says something every 15 s; after four silent ones its service is gone. */
const feedSilenceMs = 60_000;

class Upstream {
  readonly dispatcher: Dispatcher;
  readonly #most: number;
  readonly #open = new Set<Forward>();

  constructor(origin: string, most: number, bodyTimeout: number, headersTimeout: number) {
    this.#most = most;
    this.dispatcher = new Pool(origin, {
      connections: most,
      pipelining: 1,
      allowH2: false,
      connect: { timeout: connectTimeoutMs },
      keepAliveTimeout: idleConnectionMs,
      keepAliveMaxTimeout: idleConnectionMs,
      headersTimeout,
      bodyTimeout,
    }).compose(clientSpans());
  }

  /** Never more than there are connections: nothing waits in a queue that nobody watches. */
  async carry(forward: Forward): Promise<void> {
    if (this.#open.size >= this.#most) throw faults.unavailable({ message: 'too many calls at once', retryAfterS: 1 });
    this.#open.add(forward);
    await forward.run(() => this.#open.delete(forward));
  }

  finishAll(): void {
    for (const each of this.#open) each.finish();
  }
}

const upstreamsOf = <Value>(services: ProxyOptions['services'], make: (origin: string) => Value) =>
  new Map(Object.entries(services).map(([service, origin]) => [service, make(origin)]));

const isImport = (route: ServiceRoute, method: string, contentType: string | undefined): boolean =>
  route.service === 'data' && method === 'POST' && mediaTypeOf(contentType) === 'application/x-ndjson';

/**
 * Makes the proxy: a pool of connections a service, another for feeds. Both directions stream.
 *
 * @param options - addresses, bounds
 */
export const createProxy = (options: ProxyOptions): Proxy => {
  const { services, internalKey, timeoutMs, draining } = options;
  const { protocol, host } = new URL(options.publicUrl);
  const proto = protocol.slice(0, -1);
  const { access } = cookieNames(options.publicUrl);
  const calls = upstreamsOf(services, (each) => new Upstream(each, options.connections, timeoutMs, timeoutMs));
  const feeds = upstreamsOf(services, (each) => new Upstream(each, options.feeds, feedSilenceMs, timeoutMs));
  // Thousands of feeds need no connection each.
  const links = createLinkPool({
    ...{ origin: services.data, internalKey, connectTimeoutMs, headersTimeoutMs: timeoutMs },
    interceptors: [clientSpans()],
    plain: { dispatch: (call, handler) => feeds.get('data')?.dispatcher.dispatch(call, handler) ?? false },
  });
  draining.addEventListener('abort', () => {
    for (const each of feeds.values()) each.finishAll();
  });
  return {
    forward: async ({ exchange, route, path, clientAddress, signedIn, extra }) => {
      const { request, response, requestId } = exchange;
      const method = request.method ?? 'GET';
      const isForLong = isFeed(route, method, path);
      const upstream = (isForLong ? feeds : calls).get(route.service);
      if (upstream === undefined) throw new Error(`${route.service} has no address`);
      setSpanRoute(response, route.path);
      const imported = isImport(route, method, request.headers['content-type']);
      const limitBytes = imported ? options.importLimitBytes : options.bodyLimitBytes;
      const taken = { limitBytes, isImport: imported && signedIn, timeouts: options.bodyTimeouts };
      const arriving = requestBody(request, taken);
      const body = arriving === null ? null : await arriving;
      const onlyCookie = route.service === 'auth' ? undefined : access;
      const forwarding = { requestId, clientAddress, internalKey, proto, host, onlyCookie };
      const headers = requestHeaders(request.headers, forwarding);
      const repeatable = body === null && (method === 'GET' || method === 'HEAD');
      const upgrade = takesSockets(route, path) ? upgradeOf(request) : undefined;
      const dispatcher = isForLong && !takesSockets(route, path) ? links : upstream.dispatcher;
      // No page of another site may have it signed in, at whichever path: see `createCredentials`, by which this call has been counted.
      if (asksForWebSocket(request)) Reflect.deleteProperty(headers, 'cookie');
      const toService = {
        ...{ path: request.url ?? '/', method, headers, body },
        ...(imported && { headersTimeout: importPatience * timeoutMs }),
        ...(upgrade !== undefined && { upgrade: 'websocket' }),
      };
      const answered = {
        ...{ dispatcher, response, headers: exchange.headers, extra, repeatable },
        ...{ upgrade, silenceMs: feedSilenceMs },
      };
      // Of a feed, nothing that is known here alone is kept until it ends.
      return upstream.carry(new Forward(answered, toService));
    },
    close: async () => {
      await links.close();
      await Promise.all([...calls.values(), ...feeds.values()].map((each) => each.dispatcher.destroy()));
    },
  };
};
