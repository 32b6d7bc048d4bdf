import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { faults, type Fault } from '@causeway/contracts';
import { currentTraceContext, pathWithoutSecrets, serverSpans, type Logger } from '@causeway/telemetry';
import express, { type ErrorRequestHandler } from 'express';

import { createCredentials } from '../identity/credentials.ts';
import type { Identity } from '../identity/identity.ts';
import { openApiRoute } from '../openapi/openapi-route.ts';
import { applyHeaders, beginExchange, type Exchange } from './exchange.ts';
import { internalKeyCheck, internalKeyHeader } from './internal-key.ts';
import { allowedMethods, expressPath } from './path-template.ts';
import { faultOf, sendProblem } from './problem.ts';
import { ClientGone, takeInUnread } from './read-body.ts';
import type { Route } from './route.ts';
import { serveRoute } from './serve-route.ts';

/**
 * Sees each exchange before its route does: the gateway's limits and its proxy. Returns true where it has answered; what it
 * throws becomes a problem document.
 */
export type Interceptor = (exchange: Exchange) => Promise<boolean> | boolean;

/** What an app is made of. */
export interface AppOptions {
  readonly name: string;
  readonly routes: readonly Route[];
  readonly identity?: Identity | undefined;
  readonly logger: Logger;
  readonly publicUrl: string;
  readonly internalKey: string;
  /** Whether callers come from outside: then no request id, address or trace of theirs is believed. */
  readonly edge?: boolean;
  /** Whether a second factor is set up for an account, for routes that ask for it then: auth knows. */
  readonly hasSecondFactor?: (accountId: string) => Promise<boolean>;
  /** Aborted when the service begins to shut down. */
  readonly draining?: AbortSignal;
  readonly intercept?: Interceptor;
  /** Knows the errors of drivers: a database that cannot be reached is `unavailable`. */
  readonly translateError?: (error: unknown) => Fault | undefined;
}

const exchanges = new WeakMap<IncomingMessage, Exchange>();

const exchangeOf = (request: IncomingMessage): Exchange => {
  const exchange = exchanges.get(request);
  if (exchange === undefined) throw new Error('an exchange begins before its route');
  return exchange;
};

/** Headers of this answer beyond those that all have: the trace at the edge, the end of the connection in a drain. */
const extraHeaders = (edge: boolean, draining: AbortSignal): Record<string, string> | undefined => {
  const { traceparent } = edge ? currentTraceContext() : {};
  if (traceparent === undefined && !draining.aborted) return undefined;
  return { ...(traceparent !== undefined && { traceparent }), ...(draining.aborted && { Connection: 'close' }) };
};

/** Whether another service of ours asks; at the edge nobody is believed to be one. */
const internalCheck = ({ edge = false, internalKey }: AppOptions): ((request: IncomingMessage) => boolean) => {
  if (edge) return () => false;
  const isKey = internalKeyCheck(internalKey);
  return ({ headers }) => isKey(headers[internalKeyHeader]);
};

const beginning = (options: AppOptions, isInternal: (request: IncomingMessage) => boolean, draining: AbortSignal) => {
  const { edge = false } = options;
  return (request: IncomingMessage, response: ServerResponse): Exchange => {
    const internal = isInternal(request);
    const exchange = beginExchange(request, response, { internal, headers: extraHeaders(edge, draining) });
    exchanges.set(request, exchange);
    takeInUnread(request, response);
    return exchange;
  };
};

const pathOf = (request: IncomingMessage): string => (request.url ?? '').split('?', 1)[0] ?? '';

const failWith =
  (options: AppOptions) =>
  (error: unknown, exchange: Exchange, route?: Route): void => {
    if (error instanceof ClientGone || (exchange.response.closed && !exchange.response.writableFinished)) return;
    const fault = faultOf(error, options.translateError);
    const { method } = exchange.request;
    const about = {
      requestId: exchange.requestId,
      method,
      path: pathWithoutSecrets(pathOf(exchange.request)),
      code: fault.code,
    };
    if (fault.status >= 500) options.logger.error({ ...about, error: fault.cause ?? fault }, 'request failed');
    else options.logger.debug({ ...about, reason: fault.message }, 'request refused');
    if (!exchange.response.headersSent) applyHeaders(exchange);
    sendProblem(exchange.response, fault, options.publicUrl, exchange.requestId, route?.problemPage);
  };

/** What Express and its router throw themselves, such as a path that cannot be decoded. */
const translateExpress = (error: unknown): unknown => {
  const status = typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined;
  return status === 400
    ? faults.invalidRequest({ detail: 'The path holds a malformed percent-encoding.', cause: error })
    : error;
};

const unmatched = (routes: readonly Route[], fail: ReturnType<typeof failWith>) => {
  const methodsAt = allowedMethods(routes);
  // Whoever is not one of ours learns nothing about what is inside.
  const publicMethodsAt = allowedMethods(routes.filter(({ access }) => access !== 'internal'));
  return (exchange: Exchange): void => {
    const { request, response, internal } = exchange;
    try {
      const methods = (internal ? methodsAt : publicMethodsAt)(pathOf(request));
      if (methods.length > 0 && request.method === 'OPTIONS') {
        response.writeHead(204, { ...exchange.headers, Allow: methods.join(', ') }).end();
        return;
      }
      if (methods.length > 0) throw faults.methodNotAllowed({ headers: { Allow: methods.join(', ') } });
      throw faults.notFound();
    } catch (error) {
      fail(error, exchange);
    }
  };
};

const intercepted =
  (intercept: Interceptor, route: (exchange: Exchange) => void, fail: ReturnType<typeof failWith>) =>
  async (exchange: Exchange): Promise<void> => {
    try {
      if (!(await intercept(exchange))) route(exchange);
    } catch (error) {
      fail(error, exchange);
    }
  };

/**
 * Makes an Express app of routes: every answer that is no success is a problem document, including those for unknown
 * paths, wrong methods and anything that is thrown.
 *
 * @param options - routes, identity, logger, addresses
 * @returns the listener for `http.createServer`
 */
export const createApp = (options: AppOptions): RequestListener => {
  const app = express();
  app.disable('x-powered-by').disable('etag').disable('query parser');
  app.enable('strict routing').enable('case sensitive routing');
  const routes = [...options.routes, openApiRoute(options.name, options.routes)];
  const fail = failWith(options);
  const draining = options.draining ?? new AbortController().signal;
  const { identity, hasSecondFactor } = options;
  const context = { identity, hasSecondFactor, credentials: createCredentials(options.publicUrl), draining };
  const serveUnmatched = unmatched(routes, fail);
  for (const route of routes) {
    const serve = serveRoute(route, context);
    app[route.method](expressPath(route.path), (request) => {
      const exchange = exchangeOf(request);
      return serve(exchange, request.params).catch((error: unknown) => fail(error, exchange, route));
    });
  }
  app.use((request) => serveUnmatched(exchangeOf(request)));
  const onError: ErrorRequestHandler = (error, request, _response, _next) =>
    fail(translateExpress(error), exchangeOf(request));
  app.use(onError);
  const isInternal = internalCheck(options);
  const begin = beginning(options, isInternal, draining);
  const inSpan = serverSpans({ trustIncoming: isInternal });
  const route = (exchange: Exchange): void => {
    const { request, response } = exchange;
    // Express would answer OPTIONS by itself, without a word of ours.
    if (request.method === 'OPTIONS') serveUnmatched(exchange);
    else app(request, response);
  };
  const { intercept } = options;
  const serve: (exchange: Exchange) => unknown = intercept === undefined ? route : intercepted(intercept, route, fail);
  return (request, response) =>
    inSpan(request, response, () => {
      void serve(begin(request, response));
    });
};
