import { Fault } from '@causeway/contracts';
import { faultOfError } from '@causeway/events';
import { faultOf } from '@causeway/service';

/** How far an import has got, in whole batches. */
export interface ImportProgress {
  /** The number of the last line of which is known what has become of it, and of all before it. */
  readonly lines: number;
  readonly created: number;
  readonly failed: number;
  /** So many lines after it were being written: each of them may be there or not. */
  readonly unsure: number;
}

/**
 * What an import ends with that cannot go on: whoever sent it has to be able to go on from there.
 *
 * @param error - that has ended it
 * @returns its fault, with the progress; what says how a connection ended is left as it is, since nobody is there to be told
 */
export function endedImport(error: unknown, progress: ImportProgress): unknown {
  const fault = faultOf(error, faultOfError);
  if (Object.getPrototypeOf(fault) !== Fault.prototype) return error;
  const { detail, errors, retryAfterS, headers, extensions, message, cause } = fault;
  return new Fault(fault.declaration, {
    ...{ errors, headers, extensions, message, cause, progress: { ...progress } },
    ...(detail !== undefined && { detail }),
    ...(retryAfterS !== undefined && { retryAfterS }),
  });
}
