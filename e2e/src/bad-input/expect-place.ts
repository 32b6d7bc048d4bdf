import assert from 'node:assert/strict';
import type { Answer } from '../harness/client.ts';
import { expectProblem, type ProblemBody } from '../harness/expectations.ts';

/** Status and code of a problem. */
export type Refusal = readonly [status: number, code: string];

/** What is not valid, whatever it is. */
export const notValid: Refusal = [400, 'invalid-request'];

/**
 * Expects a problem that names a place, and says in a sentence what to do about it.
 *
 * @param place - a JSON pointer into the body; or the name of a parameter, with a pointer into it where there is one
 */
export async function expectPlace(answer: Answer, [status, code]: Refusal, place: string): Promise<void> {
  assertPlace(await expectProblem(answer, status, code), place);
}

/** The same of a problem that stands within an answer, as of a line of an import. */
export function assertPlace({ errors = [] }: Pick<ProblemBody, 'errors'>, place: string): void {
  const places = errors.map(({ parameter = '', pointer = '' }) => `${parameter}${pointer}`);
  assert.ok(places.includes(place), `${place} is none of ${places.join()}`);
  for (const { message } of errors) assert.match(message, /^[\p{Lu}`$].*\.$/su);
}
