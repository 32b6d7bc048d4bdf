import { z } from 'zod';

import type { Message, Told } from '../feed-writer.ts';

/** The subprotocol (RFC 6455 §1.9). */
export const protocolName = 'causeway.v1';

/** Longest id of a subscription: the client's own word. */
export const longestId = 64;
const longestCursor = 8_192;

const subscriptionId = z.string().min(1).max(longestId);

/** What a client says. Says who it is, first of all and again with a newer token. */
const hello = z.strictObject({ type: z.literal('hello'), token: z.string().min(1).max(8_192).optional() });

const subscribe = z.strictObject({
  type: z.literal('subscribe'),
  id: subscriptionId,
  collection: z.string().max(256),
  /** A condition, as `GET /v1/data/{collection}` takes it. */
  filter: z.unknown().optional(),
  snapshot: z.boolean().optional(),
  /** The last cursor that was read: it goes on after it. */
  resume: z.string().max(longestCursor).optional(),
  /** A position, as in `Causeway-After`. */
  after: z.string().max(256).optional(),
});

const unsubscribe = z.strictObject({ type: z.literal('unsubscribe'), id: subscriptionId });
const ping = z.strictObject({ type: z.literal('ping') });

/** All that a client may say. */
export const clientMessage = z.discriminatedUnion('type', [hello, subscribe, unsubscribe, ping]);

/** What a client said. */
export type ClientMessage = z.output<typeof clientMessage>;

/** What somebody subscribes to. */
export type Subscribe = z.output<typeof subscribe>;

/** Why a socket is closed; besides 1003 (binary), 1007 (not UTF-8), 1009 (too large). 4000 and above are ours (RFC 6455 §7.4.2). */
export const closeCodes = {
  binary: 1_003,
  failed: 1_011,
  shutdown: 1_012,
  tryAgain: 1_013,
  /** What came is no message, or came before the greeting. */
  badMessage: 4_400,
  /** The token is no good, or no longer: connect again with another. */
  notSignedIn: 4_401,
  /** Nothing came in time: no greeting, or no answers to pings. */
  silent: 4_408,
  flooding: 4_429,
} as const;

const frameOf = (id: string, { event = 'place', data }: Told, cursor: string | undefined): string => {
  const rest = [
    ...(data === undefined ? [] : [`"data":${data}`]),
    ...(cursor === undefined ? [] : [`"cursor":${JSON.stringify(cursor)}`]),
  ];
  return `{${[`"type":"${event}"`, `"id":${JSON.stringify(id)}`, ...rest].join(',')}}`;
};

/** What a feed tells, as messages of its subscription, the last with the cursor; what says nothing but where it stands is a `place`. */
export const framesOf = (id: string, { told }: Message, cursor: string | undefined): string[] =>
  told.length === 0
    ? [frameOf(id, {}, cursor)]
    : told.map((each, index) => frameOf(id, each, index < told.length - 1 ? undefined : cursor));
