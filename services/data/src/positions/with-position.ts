import type { Route } from '@causeway/service';
import type { Timestamp } from 'mongodb';

import { formatPosition } from './position.ts';

/**
 * Adds `Causeway-Position` to the answers of a route that do not have one of their own.
 *
 * @param route - as declared
 * @param current - a position at or after everything that the process has read and written
 */
export const withPosition = (route: Route, current: () => Timestamp | undefined): Route => ({
  ...route,
  async handle(call) {
    const answer = await route.handle(call);
    const position = current();
    if (position === undefined || answer.headers?.['Causeway-Position'] !== undefined) return answer;
    return { ...answer, headers: { 'Causeway-Position': formatPosition(position), ...answer.headers } };
  },
});
