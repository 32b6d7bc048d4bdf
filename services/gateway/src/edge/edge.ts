import type { IncomingMessage, ServerResponse } from 'node:http';
import { faults } from '@causeway/contracts';
import { addressBlock } from '@causeway/service';
import type { Credentials, Exchange, Identity, Interceptor } from '@causeway/service';
import type { Logger } from '@causeway/telemetry';

import type { Cors } from '../cors/cors.ts';
import type { Limits } from '../limits/limits.ts';
import type { OpenLimits } from '../limits/open-calls.ts';
import { clientAddress } from '../proxy/client-address.ts';
import type { Proxy } from '../proxy/proxy.ts';
import { isFeed } from '../routing/is-feed.ts';
import { pathOfTarget } from '../routing/request-target.ts';
import type { ServiceRoute } from '../routing/routing-table.ts';
import { createDemandOrigin } from './foreign-origin.ts';

/** What the edge is made of. */
export interface EdgeOptions {
  readonly findRoute: (path: string) => ServiceRoute | undefined;
  /** What methods the services take at a path; none where there is no such path. */
  readonly methodsAt: (path: string) => Promise<readonly string[]>;
  readonly identity: Identity;
  readonly credentials: Credentials;
  readonly cors: Cors;
  /** Whose origin is ours. */
  readonly publicUrl: string;
  readonly limits: Limits;
  readonly open: OpenLimits;
  readonly proxy: Proxy;
  readonly trustedProxies: number;
  readonly logger: Logger;
}

/** What is passed on. TRACE never is: whatever answers it shows the headers that the gateway has added (RFC 9110 §9.3.8). */
const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Of paths whose calls cost a guess at a password: those that send one. */
const guessing = new Set(['POST', 'DELETE']);

/** Refuses what two parsers could read as two different requests (RFC 9112 §6.1). */
const checkMessage = ({ headers }: IncomingMessage): void => {
  const coding = headers['transfer-encoding'];
  if (coding === undefined) return;
  if (coding.toLowerCase() !== 'chunked' || headers['content-length'] !== undefined) {
    throw faults.invalidRequest({ detail: 'The length of the body is not plain: send Content-Length, or chunked.' });
  }
};

/** Of the gateway's own calls those below `/v1` ask who it is; documentation and problem pages are for everybody. */
const readsCredentials = (route: ServiceRoute | undefined, path: string): boolean =>
  route === undefined ? path.startsWith('/v1/') : route.credentials === 'verified';

const longestLogged = 128;

/** A caller's own id helps to find its calls; it is never used as one of ours. */
const logCallersId = (logger: Logger, { request, requestId }: Exchange): void => {
  const given = request.headers['x-request-id'];
  if (given === undefined) return;
  logger.info({ requestId, callersRequestId: String(given).slice(0, longestLogged) }, 'the caller named its request');
};

const applyTo = (response: ServerResponse, extra: Readonly<Record<string, string>>): void => {
  for (const name in extra) response.setHeader(name, extra[name] ?? '');
};

/**
 * What each call goes through before it is passed on, or answered by a route of the gateway's own.
 *
 * @param options - identity, limits, CORS, proxy
 */
export const createEdge = (options: EdgeOptions): Interceptor => {
  const { findRoute, methodsAt, identity, credentials, cors, limits, open, proxy, trustedProxies, logger } = options;
  const demandOrigin = createDemandOrigin(options.publicUrl, cors);
  const admit = async (exchange: Exchange, extra: Record<string, string>): Promise<boolean> => {
    const { request, response } = exchange;
    checkMessage(request);
    const path = pathOfTarget(request.url ?? '');
    const address = clientAddress(request, trustedProxies);
    // Whoever looks after the gateway is not to be locked out by those who flood it.
    if (path === '/healthz' || path === '/readyz') return false;
    Object.assign(extra, limits.byAddress(address));
    logCallersId(logger, exchange);
    demandOrigin(request);
    const route = findRoute(path);
    const feed = route !== undefined && isFeed(route, request.method ?? '', path);
    (feed ? open.feedsByAddress : open.calls).hold(addressBlock(address), response);
    if (route?.limit === 'sign-in' && guessing.has(request.method ?? ''))
      Object.assign(extra, await limits.signIn(address));
    let signedIn = false;
    if (readsCredentials(route, path)) {
      const known = identity.authenticate(credentials.authorizationOf(request));
      const claims = known instanceof Promise ? await known : known;
      signedIn = claims !== undefined;
      if (claims !== undefined) {
        Object.assign(extra, limits.byPrincipal(claims.sub));
        if (feed) open.feedsByPrincipal.hold(claims.sub, response);
      }
    }
    if (route === undefined) return false;
    if (!methods.has(request.method ?? '')) {
      const allowed = await methodsAt(path);
      throw allowed.length === 0
        ? faults.notFound()
        : faults.methodNotAllowed({ headers: { Allow: allowed.join(', ') } });
    }
    await proxy.forward({ exchange, route, path, clientAddress: address, signedIn, extra });
    return true;
  };
  return async (exchange) => {
    const { request, response } = exchange;
    if (cors.isPreflight(request.method ?? '', request.headers)) {
      response.writeHead(204, { ...exchange.headers, ...cors.preflight(request.headers) }).end();
      return true;
    }
    const extra = { ...cors.answer(request.headers) };
    try {
      const answered = await admit(exchange, extra);
      if (!answered) applyTo(response, extra);
      return answered;
    } catch (error) {
      if (!response.headersSent) applyTo(response, extra);
      throw error;
    }
  };
};
