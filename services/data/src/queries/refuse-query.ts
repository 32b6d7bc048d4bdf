import { faults } from '@causeway/contracts';
import type { FaultLocation } from '@causeway/contracts';

import type { LocatedFault } from '../conditions/located-fault.ts';

/** Where something was sent: in an address, or in a body. */
export type FaultPlace = Pick<FaultLocation, 'parameter' | 'pointer'>;

const mostFaults = 50;

/**
 * The fault of a query that cannot be read.
 *
 * @param found - by pointer into a part of it
 * @param place - says where that was sent
 */
export const refused = (found: readonly LocatedFault[], place: (pointer: string) => FaultPlace): Error =>
  faults.invalidRequest({
    errors: found.slice(0, mostFaults).map(({ pointer, code, message }) => ({ ...place(pointer), code, message })),
  });
