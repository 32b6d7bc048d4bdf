import assert from 'node:assert/strict';
import { request } from 'undici';
import type { Answer } from './client.ts';

/** @returns the answer, if it has that status; its body is told if not */
export function expectStatus(answer: Answer, status: number): Answer {
  const { method, target, text } = answer;
  assert.equal(answer.status, status, `${method} ${target}: ${text.slice(0, 2000)}`);
  return answer;
}

/** A problem document (RFC 9457) with the members that each of ours has besides. */
export interface ProblemBody {
  readonly type: string;
  readonly code: string;
  readonly status: number;
  readonly detail?: string;
  readonly errors?: readonly {
    readonly pointer?: string;
    readonly parameter?: string;
    readonly code: string;
    readonly message: string;
  }[];
}

const pagesSeen = new Map<string, Promise<number>>();

/**
 * Expects a problem with that status and code, whose type is the address of a page that explains it.
 *
 * @returns the problem
 */
export async function expectProblem(answer: Answer, status: number, code: string): Promise<ProblemBody> {
  expectStatus(answer, status);
  const problem = answer.json<ProblemBody>();
  assert.equal(problem.code, code, answer.text);
  const page = pagesSeen.get(problem.type) ?? pageStatus(problem.type);
  pagesSeen.set(problem.type, page);
  assert.equal(await page, 200, `${problem.type} is no page`);
  assert.doesNotMatch(answer.text, /node_modules|\.ts:\d+|Mongo|ECONN/, 'a problem tells nothing of the inside');
  return problem;
}

async function pageStatus(url: string): Promise<number> {
  const response = await request(url, { headers: { accept: 'text/html' } });
  const html = await response.body.text();
  return response.statusCode === 200 && /<h1/i.test(html) ? 200 : response.statusCode === 200 ? 0 : response.statusCode;
}
