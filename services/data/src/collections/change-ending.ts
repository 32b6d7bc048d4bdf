import { Fault } from '@causeway/contracts';

import { definitionConflict } from './collections.errors.ts';
import type { Ending } from './definition-lock.ts';

/** What is kept of one example: its answer has all of them. */
const mostErrors = 10;

interface Example {
  readonly errors?: readonly unknown[];
}

/**
 * How a change of a definition has ended that did not come about.
 *
 * @param error - what it was ended by; what is no fault of the records is not told further
 */
export function endingOf(error: unknown): Ending {
  if (!(error instanceof Fault) || error.code !== definitionConflict.declaration.code) return { outcome: 'failed' };
  const { detail = '', extensions } = error;
  const { examples = [] } = extensions as { readonly examples?: readonly Example[] };
  const kept = examples.map((each) =>
    each.errors === undefined ? each : { ...each, errors: each.errors.slice(0, mostErrors) },
  );
  return { outcome: 'refused', detail, examples: kept };
}
