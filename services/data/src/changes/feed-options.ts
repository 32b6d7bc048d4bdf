import type { AccessClaims } from '@causeway/service';
import type { Timestamp } from 'mongodb';

import type { Collection } from '../collections/collection-registry.ts';
import type { Condition, Operand } from '../conditions/condition.ts';
import type { Caller } from '../rules/rule.ts';
import type { FeedWriter } from './feed-writer.ts';
import type { FeedCursor } from './place.ts';
import type { SharedSights } from './shared-sights.ts';
import type { Release } from './snapshot/snapshot-places.ts';

/** What a feed is opened with. */
export interface FeedOptions {
  readonly collection: Collection;
  readonly caller: Caller;
  /** What the feed ends with; undefined where anybody may listen, or where what it is one of many on ends with it. */
  readonly token: AccessClaims | undefined;
  readonly filter: Condition<Operand>;
  /** What its cursors begin with while it is told by a rule; see `FeedCursors`. */
  readonly beginCursors: (rule: string) => string;
  readonly writer: FeedWriter;
  /** Whether it begins with the current result, and is sent that anew wherever changes are missing. */
  readonly snapshots: boolean;
  /** What it shares with the other feeds of its process. */
  readonly shared: SharedSights;
  /** Learns that it is told of a gap, and why. */
  readonly noteGap?: (reason: string) => void;
}

/** From where on a feed is told. */
export interface FeedBeginning {
  /** Where it was told last, and as it was sent; undefined for from now on. */
  readonly resumed: { readonly cursor: FeedCursor; readonly given: string } | undefined;
  /** The highest position that the caller has seen. */
  readonly after: Timestamp | undefined;
  /** The place that was taken for its snapshot. */
  readonly snapshotPlace: Release | undefined;
}

/** Why changes are missing. */
export type GapReason = 'expired' | 'rights' | 'history' | 'too-costly';
