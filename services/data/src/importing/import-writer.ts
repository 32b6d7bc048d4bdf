import type { Cause } from '@causeway/contracts';
import type { Events } from '@causeway/events';

import type { Lookup } from '../references/lookup.ts';
import type { Caller } from '../rules/rule.ts';

/** Who imports, and under which ids. */
export interface ImportWriter {
  readonly cause: Cause;
  readonly caller: Caller;
  /** Gives a line its record's id. */
  readonly idOf: (line: number) => string;
  readonly now: () => Date;
  readonly lookup: Lookup;
  readonly transaction: Events['transaction'];
  /** When the import was begun first, where it may be repeated: a line that comes again has the same defaults. */
  readonly startedAt?: Date;
}
