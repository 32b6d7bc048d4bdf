import type { PagePlace } from '../queries/page-place.ts';

/** A page as it was found: the same for all who ask the same and see the same. */
export interface FoundPage {
  /** The records, as the JSON of an array. */
  readonly items: string;
  /** The last record's, where more come after it. */
  readonly next?: PagePlace | undefined;
  readonly count?: number | undefined;
}

/** A page as it is kept. */
export interface KeptPage extends FoundPage {
  /** MongoDB's time once it had been read, as text: nothing in it is newer. */
  readonly asOf: string;
}
