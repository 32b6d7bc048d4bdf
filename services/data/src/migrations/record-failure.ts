import { Fault, faults } from '@causeway/contracts';
import { isHeldUp } from '@causeway/events';

import { definitionBusy } from '../collections/collections.errors.ts';
import type { Failure } from './migration.model.ts';

/** A record that a migration cannot change. */
export class RecordFailure extends Error {
  override readonly name = 'RecordFailure';
  readonly recordId: string;

  constructor(recordId: string, cause: unknown) {
    super('a record is in the way of a migration', { cause });
    this.recordId = recordId;
  }
}

/** What passes by itself: the migration is taken up again. */
const passing: ReadonlySet<string> = new Set([definitionBusy, faults.conflict].map((each) => each.declaration.code));

/** Whether somebody has to do something about a fault before a migration can go on. */
export const isInTheWay = (error: unknown): error is Fault =>
  error instanceof Fault && error.status < 500 && !isHeldUp(error) && !passing.has(error.code);

const maxErrors = 10;

/**
 * What a migration has stopped at.
 *
 * @returns undefined where it is nothing of the migration's: it is tried again
 */
export function failureOf(error: unknown, at: Pick<Failure, 'step' | 'collection'>): Failure | undefined {
  const cause = error instanceof RecordFailure ? error.cause : error;
  if (!isInTheWay(cause)) return undefined;
  const { code, detail, declaration, errors, extensions } = cause;
  const { examples } = extensions as { readonly examples?: readonly unknown[] };
  return {
    ...at,
    ...(error instanceof RecordFailure ? { recordId: error.recordId } : {}),
    code,
    detail: detail ?? declaration.description,
    ...(errors.length === 0 ? {} : { errors: errors.slice(0, maxErrors) }),
    ...(examples === undefined ? {} : { examples: examples.slice(0, maxErrors) }),
  };
}
