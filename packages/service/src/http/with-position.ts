import type { Answer, Route } from './route.ts';

const answerOf = async (
  route: Route,
  call: Parameters<Route['handle']>[0],
  current: () => string | undefined,
): Promise<Answer> => {
  try {
    return await route.handle(call);
  } catch (error) {
    const position = current();
    if (position !== undefined && !call.response.headersSent) call.response.setHeader('Causeway-Position', position);
    throw error;
  }
};

/**
 * Adds `Causeway-Position` to the answers of a route that do not carry one of their own, problems too: a caller that sends
 * it back as `Causeway-After` reads nothing older, such as after a 412 the record that was in its way.
 *
 * @param route - as declared
 * @param current - a position at or after everything that the process has written and read; undefined before it knows one
 */
export const withPosition = (route: Route, current: () => string | undefined): Route => ({
  ...route,
  async handle(call) {
    const answer = await answerOf(route, call, current);
    const position = current();
    if (position === undefined || answer.headers?.['Causeway-Position'] !== undefined) return answer;
    return { ...answer, headers: { 'Causeway-Position': position, ...answer.headers } };
  },
});
