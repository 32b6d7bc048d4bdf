import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { Cause, FaultFactory, Principal } from '@causeway/contracts';
import type { z } from 'zod';

import type { Channel } from '../channels/channel.ts';
import type { AccessClaims } from '../identity/access-claims.ts';
import type { SocketAnswer } from './accept-socket.ts';
import type { IfMatch } from './conditional.ts';
import type { WriteProblem } from './problem.ts';
import type { RecentAuthentication } from './recent-authentication.ts';

/** Methods that routes take. HEAD is answered wherever GET is. */
export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/**
 * Who may call: `anonymous` reads no credentials at all (signing in), `public` takes anybody and knows who it is where a
 * token was sent, `signed-in` and `admin` demand one, `internal` is for the other services alone.
 */
export type Access = 'anonymous' | 'public' | 'signed-in' | 'admin' | 'internal';

/** A part of the request that a schema describes. */
export type ObjectSchema = z.ZodObject;

/** What a route takes for one media type: a schema of its JSON, or the body as it streams in. */
export type BodySchema = z.ZodType | 'stream';

/** Media types and what each holds. */
export type BodySchemas = Readonly<Record<string, BodySchema>>;

type BodyIn<Bodies extends BodySchemas> = {
  [Type in keyof Bodies & string]: {
    readonly mediaType: Type;
    readonly value: Bodies[Type] extends z.ZodType ? z.output<Bodies[Type]> : IncomingMessage;
  };
}[keyof Bodies & string];

/** A response header, for the documentation. */
export interface HeaderDocument {
  readonly description: string;
}

/** One answer that a route may give. */
export interface ResponseDocument {
  readonly description: string;
  /** The body's shape: Zod, or JSON Schema 2020-12 where the shape is a user's. */
  readonly schema?: z.ZodType | Readonly<Record<string, unknown>>;
  /** `application/json` where there is a schema and nothing else is said. */
  readonly mediaTypes?: readonly string[];
  readonly headers?: Readonly<Record<string, HeaderDocument>>;
}

/** The answers of a route by status. */
export type ResponseDocuments = Readonly<Record<number, ResponseDocument>>;

/** Headers of an answer; undefined ones are left out. */
export type AnswerHeaders = Readonly<Record<string, string | readonly string[] | number | undefined>>;

/** Writes a streamed answer; the response has its head already. Returns when all is written. */
export type StreamWriter = (response: ServerResponse) => Promise<void>;

/** What a handler gives back: JSON from a value, JSON that is text already, a stream, no body, or what the connection becomes. */
export type Answer<Status extends number = number> = {
  readonly status: Status;
  readonly headers?: AnswerHeaders;
} & (
  | {
      readonly body?: unknown;
      readonly json?: never;
      readonly stream?: never;
      readonly channel?: never;
      readonly socket?: never;
    }
  | {
      readonly json: string | Uint8Array;
      readonly body?: never;
      readonly stream?: never;
      readonly channel?: never;
      readonly socket?: never;
    }
  | {
      readonly stream: Readable | StreamWriter;
      /** Instead of `stream`, where who calls offers a channel that it may go on over. Returns when all is told. */
      readonly channel?: (channel: Channel) => Promise<void>;
      readonly body?: never;
      readonly json?: never;
      readonly socket?: never;
    }
  | {
      readonly socket: SocketAnswer;
      readonly body?: never;
      readonly json?: never;
      readonly stream?: never;
      readonly channel?: never;
    }
);

interface CallBase {
  readonly requestId: string;
  /** What to answer with: the best of the media types that the route declares, by the `Accept` header. */
  readonly mediaType: string;
  readonly headers: IncomingHttpHeaders;
  /** To be handed to every write. Without a caller the principal is `system`. */
  readonly cause: Cause;
  /** Aborted when the client goes before the answer is complete. */
  readonly signal: AbortSignal;
  /** Aborted when the service begins to shut down: long answers end themselves. */
  readonly draining: AbortSignal;
  /** `If-Match`; a malformed one was answered with 400. */
  readonly ifMatch: IfMatch | undefined;
  /** The client's address: the gateway's word where the call came through it. */
  readonly clientIp: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** A validated request, as a handler gets it. */
export type Call<Params = unknown, Query = unknown, Body = unknown, Who extends Access = Access> = CallBase & {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly token: Who extends 'signed-in' | 'admin' ? AccessClaims : AccessClaims | undefined;
  readonly principal: Who extends 'signed-in' | 'admin' ? Principal : Principal | undefined;
};

/** What a schema gives; nothing where there is none. */
export type Output<Schema> = Schema extends z.ZodType ? z.output<Schema> : Readonly<Record<string, never>>;

type BodyOf<Body, Bodies> = Body extends z.ZodType
  ? z.output<Body>
  : Bodies extends BodySchemas
    ? BodyIn<Bodies>
    : undefined;

/** What a route is declared with: validation, authorisation and documentation at once. */
export interface RouteDeclaration<
  Params extends ObjectSchema | undefined,
  Query extends ObjectSchema | undefined,
  Body extends z.ZodType | undefined,
  Bodies extends BodySchemas | undefined,
  Status extends number,
  Who extends Access,
> {
  readonly method: Method;
  /** With braces for parameters: `/v1/data/{collection}/{id}`. */
  readonly path: string;
  readonly operationId: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly access: Who;
  /** How lately and how surely the caller must have proved who they are; for `signed-in` and `admin`. */
  readonly recent?: RecentAuthentication;
  /** A parameter that does not keep to its schema is 404: there is nothing under such a name. */
  readonly params?: Params;
  /** Unknown parameters are refused. */
  readonly query?: Query;
  /** The JSON body; objects are strict unless the schema says otherwise. */
  readonly body?: Body;
  /** Whether the JSON body may be left out; it is `{}` then. */
  readonly bodyOptional?: boolean;
  /** Instead of `body`, where the route takes other media types than `application/json`. */
  readonly bodies?: Bodies;
  /** Instead of both: the fields of an HTML form; `definePage` has their types. */
  readonly form?: ObjectSchema | undefined;
  /** Largest body in bytes; 1 MiB by default. Streams are not limited here. */
  readonly bodyLimitBytes?: number;
  /** Request headers that the route reads, for the documentation. */
  readonly requestHeaders?: Readonly<Record<string, HeaderDocument>>;
  /** By status, as the success and its kin are declared; faults go under `faults`. */
  readonly responses: Readonly<Record<Status, ResponseDocument>>;
  /** Faults of its own; those that follow from access, parameters and bodies are added. */
  readonly faults?: readonly FaultFactory[];
  /** Left out of the public documentation. */
  readonly hidden?: boolean;
  /** Where people call it with a browser: what is no success is a page for them, not a problem document. */
  readonly problemPage?: WriteProblem;
  readonly handle: (
    call: Call<Output<Params>, Output<Query>, BodyOf<Body, Bodies>, Who>,
  ) => Promise<Answer<NoInfer<Status>>> | Answer<NoInfer<Status>>;
}

/** A declared route, as the app and the documentation take it. */
export interface Route extends Omit<
  RouteDeclaration<
    ObjectSchema | undefined,
    ObjectSchema | undefined,
    z.ZodType | undefined,
    BodySchemas | undefined,
    number,
    Access
  >,
  'handle'
> {
  readonly handle: (call: Call<never, never, never, never>) => Promise<Answer> | Answer;
}

/**
 * Declares a route. One declaration validates the request, decides who may call, and documents the call.
 *
 * @param declaration - method, path, access, schemas, answers, and the handler
 */
export const defineRoute = <
  Status extends number,
  Who extends Access,
  Params extends ObjectSchema | undefined = undefined,
  Query extends ObjectSchema | undefined = undefined,
  Body extends z.ZodType | undefined = undefined,
  Bodies extends BodySchemas | undefined = undefined,
>(
  declaration: RouteDeclaration<Params, Query, Body, Bodies, Status, Who>,
): Route => declaration;

/**
 * Declares a route for the other services alone: it demands the installation's internal key and is not documented in
 * public.
 *
 * @param declaration - as for {@link defineRoute}; the path begins with `/internal/`
 */
export const internalRoute = <
  Status extends number,
  Params extends ObjectSchema | undefined = undefined,
  Query extends ObjectSchema | undefined = undefined,
  Body extends z.ZodType | undefined = undefined,
  Bodies extends BodySchemas | undefined = undefined,
>(
  declaration: Omit<RouteDeclaration<Params, Query, Body, Bodies, Status, 'internal'>, 'access' | 'hidden' | 'tag'>,
): Route => {
  if (!declaration.path.startsWith('/internal/')) throw new Error(`${declaration.path} does not begin with /internal/`);
  return defineRoute({ ...declaration, tag: 'internal', access: 'internal', hidden: true });
};
