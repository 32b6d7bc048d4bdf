import { Fault } from '@causeway/contracts';
import { isHeldUp } from '@causeway/events';

import type { Collection } from '../collections/collection-registry.ts';
import { faultOfWrite } from '../records/under-definition.ts';

/** What has become of a record that matched. */
export type Outcome =
  /** Changed or deleted; without an event where that is only what would become of it. */
  | { readonly kind: 'written'; readonly eventId?: string }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'refused'; readonly fault: Fault };

/** Some of the records of a call. */
export interface Chunk {
  readonly ids: readonly string[];
  /** Whether to stop behind the next record. */
  readonly isTimeUp: () => boolean;
}

/** What has become of a chunk. */
export interface ChunkResult {
  /** By id; what no longer matched has none. What lies behind `through` is not to be counted. */
  readonly outcomes: ReadonlyMap<string, Outcome>;
  /** How many of the ids were dealt with. */
  readonly through: number;
  /** Whether whoever goes on has to ask anew. */
  readonly isEnd?: boolean;
}

/** Deals with a chunk. */
export type DoChunk = (chunk: Chunk) => Promise<ChunkResult>;

/**
 * Why one record was not written; the others are.
 *
 * @throws what is not about the record alone: it ends the call
 */
export function refusedBy(error: unknown, collection: Collection): Outcome {
  const fault = faultOfWrite(error, collection);
  if (fault instanceof Fault && (fault.status < 500 || isHeldUp(fault))) return { kind: 'refused', fault };
  throw fault;
}
