import type { IncomingMessage } from 'node:http';
import { Fault, faults, type Cause, type Principal } from '@causeway/contracts';
import { setSpanRoute } from '@causeway/telemetry';
import { z } from 'zod';

import type { AccessClaims } from '../identity/access-claims.ts';
import type { Credentials } from '../identity/credentials.ts';
import type { Identity } from '../identity/identity.ts';
import { parseIfMatch, type IfMatch } from './conditional.ts';
import type { Exchange } from './exchange.ts';
import { isUtf8, mediaTypeOf, negotiate } from './media-type.ts';
import { parseQuery } from './query.ts';
import { defaultBodyLimitBytes, parseJson, readBody } from './read-body.ts';
import { formMediaType, largestFormBytes, parseForm } from './read-form.ts';
import { faultOfAuthentication } from './recent-authentication.ts';
import type { Access, BodySchemas, Call, Route } from './route.ts';
import { sendAnswer } from './send-answer.ts';
import { strictAtTop, validateBody, validateParams, validateQuery } from './validate.ts';

/** What serving a route needs from the app. */
export interface RouteContext {
  readonly identity: Identity | undefined;
  readonly credentials: Credentials;
  /** Whether a second factor is set up for the account. */
  readonly hasSecondFactor?: ((accountId: string) => Promise<boolean>) | undefined;
  readonly draining: AbortSignal;
}

const system: Principal = { type: 'system' };

class RouteCall {
  readonly exchange: Exchange;
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
  readonly token: AccessClaims | undefined;
  readonly principal: Principal | undefined;
  readonly draining: AbortSignal;
  readonly mediaType: string;
  readonly ifMatch: IfMatch | undefined;

  constructor(parts: {
    readonly exchange: Exchange;
    readonly params: unknown;
    readonly query: unknown;
    readonly body: unknown;
    readonly token: AccessClaims | undefined;
    readonly draining: AbortSignal;
    readonly mediaType: string;
  }) {
    this.exchange = parts.exchange;
    this.params = parts.params;
    this.query = parts.query;
    this.body = parts.body;
    this.token = parts.token;
    this.principal = parts.token === undefined ? undefined : { type: 'app_user', id: parts.token.sub };
    this.draining = parts.draining;
    this.mediaType = parts.mediaType;
    // Read before the handler runs, so that a malformed one changes nothing.
    this.ifMatch = parseIfMatch(parts.exchange.request.headers['if-match']);
  }

  get requestId(): string {
    return this.exchange.requestId;
  }

  get headers(): IncomingMessage['headers'] {
    return this.exchange.request.headers;
  }

  get cause(): Cause {
    return { correlationId: this.exchange.requestId, principal: this.principal ?? system };
  }

  get signal(): AbortSignal {
    return this.exchange.signal;
  }

  get clientIp(): string {
    return this.exchange.clientIp;
  }

  get request(): Exchange['request'] {
    return this.exchange.request;
  }

  get response(): Exchange['response'] {
    return this.exchange.response;
  }
}

const authorise = (access: Access, exchange: Exchange, token: AccessClaims | undefined): void => {
  if (access === 'internal') {
    // Whoever is not one of ours learns nothing about what is inside.
    if (!exchange.internal) throw faults.notFound();
    return;
  }
  if (access === 'public' || access === 'anonymous') return;
  if (token === undefined) throw faults.unauthenticated();
  if (access === 'admin' && !token.roles.includes('admin')) throw faults.forbidden();
};

/** Asks whoever may call for a recent authentication, where the route does. */
const prepareRecent = (
  { recent, access, operationId }: Route,
  { hasSecondFactor }: RouteContext,
): ((token: AccessClaims) => Promise<void>) | undefined => {
  if (recent === undefined) return undefined;
  if (access !== 'signed-in' && access !== 'admin') throw new Error(`${operationId} knows nobody to ask once more`);
  const asksAll = recent.acr !== 'enrolled';
  if (!asksAll && hasSecondFactor === undefined) throw new Error(`${operationId} needs to know of second factors`);
  return async (token) => {
    const enrolled = !asksAll && (await hasSecondFactor?.(token.sub)) === true;
    const fault = faultOfAuthentication(token, recent, { nowMs: Date.now(), hasSecondFactor: enrolled });
    if (fault !== undefined) throw fault;
  };
};

const unsupported = (route: Route, types: readonly string[]) =>
  faults.unsupportedMediaType({
    detail: `Send ${types.join(' or ')}.`,
    // RFC 5789 §2.2, RFC 9110 §15.5.16.
    headers: { [route.method === 'patch' ? 'Accept-Patch' : 'Accept']: types.join(', ') },
  });

/** A body that takes longer may have outlived its token, or its session: who sends it is asked once more when it is there. */
const promptBodyMs = 1_000;

/** Where a route takes no body, a client may still send an empty one. */
const mostOfNothingBytes = 1_024;

const noBody = z.strictObject({});

const takesNoBody = () => faults.invalidRequest({ detail: 'This call takes no body.' });

const isEmpty = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0';

/** Refuses what a route would ignore: a body that says something, where it takes none. */
const checkNoBody = async (request: IncomingMessage): Promise<undefined> => {
  if (isEmpty(request)) return;
  const { 'content-type': type } = request.headers;
  const bytes = await readBody(request, mostOfNothingBytes).catch((error: unknown) => {
    throw error instanceof Fault ? takesNoBody() : error;
  });
  if (bytes.length === 0) return;
  if (mediaTypeOf(type) !== 'application/json') throw takesNoBody();
  validateBody(noBody, parseJson(bytes));
};

const bodiesOf = ({ bodies, body, form }: Route): BodySchemas => ({
  ...(body !== undefined && { 'application/json': body }),
  ...(form !== undefined && { [formMediaType]: form }),
  ...bodies,
});

const prepareBody = (route: Route): ((request: IncomingMessage) => Promise<unknown>) | undefined => {
  const named = route.bodies !== undefined;
  const given = bodiesOf(route);
  const types = Object.keys(given);
  // What a body of GET means is nobody's to say (RFC 9110 §9.3.1).
  if (types.length === 0) return route.method === 'get' ? undefined : checkNoBody;
  const schemas = new Map(
    types.map((type) => [type, given[type] === 'stream' ? 'stream' : strictAtTop(given[type] as z.ZodType)] as const),
  );
  const whenEmpty = route.bodyOptional === true && route.body !== undefined ? strictAtTop(route.body) : undefined;
  const limitBytes = route.bodyLimitBytes ?? (route.form === undefined ? defaultBodyLimitBytes : largestFormBytes);
  return async (request) => {
    if (whenEmpty !== undefined && isEmpty(request)) return validateBody(whenEmpty, {});
    const header = request.headers['content-type'];
    const mediaType = mediaTypeOf(header) ?? '';
    const schema = schemas.get(mediaType);
    const encoding = request.headers['content-encoding'] ?? 'identity';
    if (schema === undefined || !isUtf8(header) || encoding !== 'identity') throw unsupported(route, types);
    if (schema === 'stream') return { mediaType, value: request };
    const parse = mediaType === formMediaType ? parseForm : parseJson;
    const value = validateBody(schema, parse(await readBody(request, limitBytes)));
    return named ? { mediaType, value } : value;
  };
};

/** The media types that a route answers with where it succeeds. */
const offeredBy = (route: Route): string[] => {
  const successes = Object.entries(route.responses).filter(([status]) => status.startsWith('2'));
  const types = successes.flatMap(
    ([, each]) => each.mediaTypes ?? (each.schema === undefined ? [] : ['application/json']),
  );
  return [...new Set(types)];
};

/**
 * Makes the function that serves one route: authenticate, authorise, parse, validate, handle, answer.
 *
 * @param route - its declaration
 * @param context - identity and the end of the service
 * @returns takes an exchange and the raw path parameters; what it throws becomes a problem document
 */
export const serveRoute = (
  route: Route,
  context: RouteContext,
): ((exchange: Exchange, rawParams: unknown) => Promise<void>) => {
  const { access, handle } = route;
  const readRouteBody = prepareBody(route);
  const params = route.params;
  const query = route.query === undefined ? undefined : strictAtTop(route.query);
  const offered = offeredBy(route);
  const demandRecent = prepareRecent(route, context);
  const anybody = access === 'anonymous' || access === 'internal';
  if (!anybody && context.identity === undefined) throw new Error(`${route.operationId} needs an identity`);
  const authenticate = (request: IncomingMessage) =>
    anybody ? undefined : context.identity?.authenticate(context.credentials.authorizationOf(request));

  /** Nothing is written for somebody whose token has expired while they sent what is to be written. */
  const bodyOf = async (request: IncomingMessage, read: (request: IncomingMessage) => Promise<unknown>) => {
    const begun = performance.now();
    const body = await read(request);
    if (performance.now() - begun > promptBodyMs) await authenticate(request);
    return body;
  };

  return async (exchange, rawParams) => {
    const { request, response } = exchange;
    setSpanRoute(response, route.path);
    const known = authenticate(request);
    const token = known instanceof Promise ? await known : known;
    authorise(access, exchange, token);
    if (demandRecent !== undefined && token !== undefined) await demandRecent(token);
    const mediaType = negotiate(request.headers.accept, offered);
    if (mediaType === undefined && offered.length > 0)
      throw faults.notAcceptable({ detail: `This call answers with ${offered.join(' or ')}.` });
    const url = request.url ?? '';
    const call = new RouteCall({
      exchange,
      params: params === undefined ? rawParams : validateParams(params, rawParams),
      query: query === undefined ? noQuery(url) : validateQuery(query, parseQuery(url)),
      body: readRouteBody === undefined ? undefined : await bodyOf(request, readRouteBody),
      token,
      draining: context.draining,
      mediaType: mediaType ?? '',
    });
    const answer = handle(call as unknown as Call<never, never, never, never>);
    await sendAnswer(exchange, answer instanceof Promise ? await answer : answer);
  };
};

const none = Object.freeze({});

/** A route without a query takes no parameters; unknown ones are refused, not ignored. */
const noQuery = (url: string): Readonly<Record<string, never>> => {
  if (!url.includes('?')) return none;
  for (const parameter of Object.keys(parseQuery(url))) {
    throw faults.invalidRequest({
      errors: [{ parameter, code: 'unknown-field', message: 'There is no such parameter.' }],
    });
  }
  return none;
};
