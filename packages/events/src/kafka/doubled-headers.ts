import type { FetchedRecord } from './port.ts';

/** Says which headers came more than once, where any did. */
export const doubledOf = (names: readonly string[]): Pick<FetchedRecord, 'doubled'> =>
  names.length === 0 ? {} : { doubled: names };
