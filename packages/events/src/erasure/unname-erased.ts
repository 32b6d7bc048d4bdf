import type { Cause } from '@causeway/contracts';

import { together } from '../recording/together.ts';
import type { Persons } from './persons.ts';

/**
 * Takes out of a cause whose it was where they are erased. An event that came before carries their id still, in Kafka and in a timer: what is
 * caused by it after the log has been gone through for the last time would say who it was for good.
 */
export type UnnameErased = (cause: Cause) => Promise<Cause>;

/** Makes it; those that are asked about at once are looked for together. */
export const createUnnameErased = (persons: Pick<Persons, 'erasedOf'>): UnnameErased => {
  const isErased = together(async (ids: readonly string[]) => {
    const erased = await persons.erasedOf(ids);
    return ids.map((id) => ({ value: erased.has(id) }));
  });
  return async (cause) => {
    const { type, id } = cause.principal;
    return id !== undefined && (await isErased(id)) ? { ...cause, principal: { type } } : cause;
  };
};
