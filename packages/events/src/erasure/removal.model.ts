import type { RecordedDocument } from '../recording/recorded-document.ts';

/** The name of the collection of {@link RemovalDocument}s. */
export const removals = 'removals';

/** How much of each kind of thing was done, as far as was counted: what a process did just before it died is missing. */
export type RemovalCounts = Readonly<Record<string, number>>;

/** A person who is, or has been, removed from a service; the `_id` is that of their account. It stays for good. */
export interface RemovalDocument extends RecordedDocument {
  /** `first`: what others see of them goes at once. `last`: once no token can be valid, what calls in flight have written goes too. */
  readonly pass: 'first' | 'last';
  /** `prepared` after the first pass, `completed` after the last. */
  readonly status: 'working' | 'prepared' | 'completed';
  /** The step that is next, by name. */
  readonly step: string;
  /** Where in this step the part before has ended. */
  readonly place?: string;
  readonly counts: RemovalCounts;
}
