import type { Route } from './route.ts';

/**
 * Adds `Causeway-Position` to the answers of a route that do not carry one of their own: a caller that sends it back as
 * `Causeway-After` reads nothing older.
 *
 * @param route - as declared
 * @param current - a position at or after everything that the process has written and read; undefined before it knows one
 */
export const withPosition = (route: Route, current: () => string | undefined): Route => ({
  ...route,
  async handle(call) {
    const answer = await route.handle(call);
    const position = current();
    if (position === undefined || answer.headers?.['Causeway-Position'] !== undefined) return answer;
    return { ...answer, headers: { 'Causeway-Position': position, ...answer.headers } };
  },
});
