import { faults } from '@causeway/contracts';
import { defineRoute, html, htmlPage, pageHeaders, type ProblemDescription, type Route } from '@causeway/service';
import { z } from 'zod';

import type { ApiDocument } from '../docs/api-document.ts';

const head = html`<link rel="stylesheet" href="/docs/page.css" />`;

const problemPage = ({ code, status, title, description }: ProblemDescription): string =>
  htmlPage({
    title: `${title} · Causeway`,
    head,
    body: html`<main>
        <h1>${title}</h1>
        <p><code>${code}</code>, answered with HTTP status ${status}.</p>
        <p>${description}</p>
        <p>An answer of this kind holds a <code>requestId</code>: name it when you report the problem.</p>
      </main>
      <nav aria-label="More"><a href="/problems">All problems</a> · <a href="/docs">API documentation</a></nav>`,
  }).toString();

const byStatusAndCode = (left: ProblemDescription, right: ProblemDescription): number =>
  left.status - right.status || (left.code < right.code ? -1 : 1);

const indexPage = (problems: Iterable<ProblemDescription>): string =>
  htmlPage({
    title: 'Problems · Causeway',
    head,
    body: html`<main>
        <h1>Problems</h1>
        <p>Every kind of error that a call may be answered with.</p>
        <dl>
          ${[...problems].toSorted(byStatusAndCode).map(
            ({ code, status, title }) =>
              html`<dt>
                  <a href="/problems/${encodeURIComponent(code)}"><code>${code}</code></a> (${status})
                </dt>
                <dd>${title}</dd>`,
          )}
        </dl>
      </main>
      <nav aria-label="More"><a href="/docs">API documentation</a></nav>`,
  }).toString();

const page = { 200: { description: 'A page.', mediaTypes: ['text/html'] } } as const;

/**
 * The pages behind the `type` of problem documents: one for each fault of every service, and a list of them.
 *
 * @param document - knows what the services declare
 */
export const problemRoutes = (document: Pick<ApiDocument, 'current'>): readonly Route[] => [
  defineRoute({
    method: 'get',
    path: '/problems',
    operationId: 'listProblems',
    tag: 'docs',
    summary: 'Every problem',
    access: 'anonymous',
    hidden: true,
    responses: page,
    handle: async () => {
      const { problems } = await document.current();
      return { status: 200, headers: pageHeaders, json: indexPage(problems.values()) };
    },
  }),
  defineRoute({
    method: 'get',
    path: '/problems/{code}',
    operationId: 'readProblem',
    tag: 'docs',
    summary: 'What a problem means',
    access: 'anonymous',
    hidden: true,
    params: z.object({ code: z.string().regex(/^[a-z\d-]{1,80}$/) }),
    responses: page,
    handle: async ({ params: { code } }) => {
      const problem = (await document.current()).problems.get(code);
      if (problem === undefined) throw faults.notFound();
      return { status: 200, headers: pageHeaders, json: problemPage(problem) };
    },
  }),
];
