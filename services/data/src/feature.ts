import type { CommitStream, Events, Idempotency, Settled } from '@causeway/events';
import type { Identity, Job, RevocationList, Route } from '@causeway/service';
import type { Logger } from '@causeway/telemetry';

import type { CollectionRegistry } from './collections/collection-registry.ts';
import type { Config } from './config.ts';
import type { FieldKeys } from './encryption/field-keys.ts';
import type { Connections } from './connections.ts';
import type { CursorCodec } from './cursors/cursor-codec.ts';
import type { FindCurrent } from './records/find-current.ts';

/** What every feature is given. What one feature has for another is passed on by `features.ts`, by name. */
export interface Ground extends Pick<Connections, 'client' | 'redis'> {
  readonly config: Config;
  readonly logger: Logger;
  readonly now: () => Date;
  /** Before every key in Redis. */
  readonly redisPrefix: string;
  readonly events: Events;
  /** The commits, as this service follows them. */
  readonly stream: CommitStream;
  /** Waits until that has brought what is committed. */
  readonly settled: Settled['settled'];
  readonly registry: CollectionRegistry;
  /** Opens the keys of collections with encrypted fields. */
  readonly fieldKeys: FieldKeys;
  /** The definition that reads are judged by. */
  readonly findCurrent: FindCurrent;
  readonly cursors: CursorCodec;
  readonly idempotency: Idempotency;
  readonly isRevoked: RevocationList['isRevoked'];
  /** Knows who sends a token otherwise than in a header. */
  readonly identity: Pick<Identity, 'authenticate'>;
  /** A key for one purpose, from the key that all replicas share. */
  readonly derive: (purpose: string) => Uint8Array;
}

/**
 * What a feature adds to the service, beside what it has for others: each `<feature>/<feature>.wiring.ts` has a `createX` that
 * gives it.
 */
export interface Feature {
  readonly routes?: readonly Route[];
  readonly jobs?: readonly Job[];
  /** Before anything is read or handled. */
  readonly ensureIndexes?: () => Promise<unknown>;
  /** Once events are passed on: begins what goes on by itself. */
  readonly start?: () => void;
  /** When the service ends: events are still passed on. */
  readonly stop?: () => Promise<void> | void;
  /** What it has for other features. */
  readonly [other: string]: unknown;
}
