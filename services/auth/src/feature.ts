import type { Events, Idempotency } from '@causeway/events';
import type { Job, MasterKey, Route } from '@causeway/service';
import type { Logger } from '@causeway/telemetry';

import type { Config } from './config.ts';
import type { Connections } from './connections.ts';
import type { Stores } from './stores.ts';

/** What every feature is given. What one feature has for another is passed on by `features.ts`, by name. */
export interface Ground extends Stores, Pick<Connections, 'database' | 'redis'> {
  readonly config: Config;
  readonly logger: Logger;
  readonly now: () => Date;
  /** Before every key and channel in Redis. */
  readonly redisPrefix: string;
  readonly events: Events;
  /** The root key that the operator's master key opens: what everything is derived from and encrypted under. */
  readonly masterKey: MasterKey;
  readonly idempotency: Idempotency;
  /** For tests: between attempts to send a mail. */
  readonly mailDelaysMs?: readonly number[] | undefined;
}

/**
 * What a feature adds to the service, beside what it has for others: each `<feature>/<feature>.wiring.ts` has a `createX` that gives it.
 * Handlers and the steps of a removal are declared apart, by functions of the same file that `handlers.ts` calls, since they are known
 * before anything is connected.
 */
export interface Feature {
  readonly routes?: readonly Route[];
  readonly jobs?: readonly Job[];
  /** Before anything is read or handled. */
  readonly ensureIndexes?: () => Promise<unknown>;
  /** Once events are passed on and tokens can be verified; the service takes no traffic yet. */
  readonly begin?: () => Promise<unknown>;
  /** What it has for other features. */
  readonly [other: string]: unknown;
}
