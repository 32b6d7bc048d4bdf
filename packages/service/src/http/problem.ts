import type { ServerResponse } from 'node:http';
import { Fault, faults, type FaultLocation } from '@causeway/contracts';

/** A problem document (RFC 9457), with our `code`, `errors`, `progress` and `requestId`. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail?: string;
  readonly errors?: readonly FaultLocation[];
  readonly progress?: Readonly<Record<string, number>>;
  readonly requestId?: string;
  readonly [extension: string]: unknown;
}

/** The media type of problem documents. */
export const problemMediaType = 'application/problem+json';

/**
 * What a fault says in public. A 5xx says the same thing to everybody: its detail, errors and extensions stay inside, and
 * an `internal` one is not even told apart from another. How much of the call is done is the caller's own, whatever ended it.
 *
 * @param fault - what was thrown
 * @param publicUrl - the start of the problem's `type`
 * @param requestId - so that a person can report it
 */
export const problemOf = (fault: Fault, publicUrl: string, requestId?: string): Problem => {
  const { code, title } = fault.category === 'internal' ? faults.internal.declaration : fault.declaration;
  const ours = fault.status >= 500;
  return {
    ...(!ours && fault.extensions),
    type: `${publicUrl}/problems/${code}`,
    title,
    status: fault.status,
    code,
    ...(!ours && fault.detail !== undefined && { detail: fault.detail }),
    ...(!ours && fault.errors.length > 0 && { errors: fault.errors }),
    ...(fault.progress !== undefined && { progress: fault.progress }),
    ...(requestId !== undefined && { requestId }),
  };
};

/** Seconds that a caller is asked to wait where a fault that passes names none. */
const defaultRetryAfterS = 1;

/**
 * The headers that go with a fault: its own, `Retry-After` (429 and 503 always have one) and `WWW-Authenticate` (401
 * always has one, RFC 9110 §15.5.2).
 */
export const problemHeaders = (fault: Fault): Record<string, string> => ({
  ...(fault.status === 401 && { 'WWW-Authenticate': 'Bearer' }),
  ...((fault.status === 429 || fault.status === 503) && { 'Retry-After': String(defaultRetryAfterS) }),
  ...(fault.retryAfterS !== undefined && { 'Retry-After': String(fault.retryAfterS) }),
  ...fault.headers,
});

/** A problem as it is written down. */
export interface WrittenProblem {
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** Writes a problem down for whoever asked: a program, or a person in a browser. */
export type WriteProblem = (problem: Problem) => WrittenProblem;

const asDocument: WriteProblem = (problem) => ({
  headers: { 'Content-Type': problemMediaType },
  text: JSON.stringify(problem),
});

/**
 * Answers with a problem document. Where an answer has begun already it can only be cut off, so that nobody takes it for
 * a whole one.
 *
 * @param response - to be ended
 * @param fault - what went wrong
 * @param publicUrl - the start of the problem's `type`
 * @param requestId - of the request
 * @param write - instead of a document: a page
 */
export const sendProblem = (
  response: ServerResponse,
  fault: Fault,
  publicUrl: string,
  requestId: string,
  write: WriteProblem = asDocument,
): void => {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { headers, text } = write(problemOf(fault, publicUrl, requestId));
  // What a handler has said about the answer that it did not give.
  for (const name of ['ETag', 'Location', 'Link', 'Content-Encoding', 'Last-Modified']) response.removeHeader(name);
  response.statusCode = fault.status;
  response.setHeader('Cache-Control', 'no-store');
  for (const [name, value] of Object.entries({ ...headers, ...problemHeaders(fault) })) response.setHeader(name, value);
  response.setHeader('Content-Length', Buffer.byteLength(text));
  response.end(text);
};

/**
 * The fault that an error amounts to.
 *
 * @param error - anything that was thrown
 * @param translate - knows the errors of drivers, such as a database that cannot be reached
 */
export const faultOf = (error: unknown, translate?: (error: unknown) => Fault | undefined): Fault => {
  if (error instanceof Fault) return error;
  return translate?.(error) ?? faults.internal({ cause: error });
};
