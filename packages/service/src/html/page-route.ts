import type { z } from 'zod';

import type { LocalPath } from '../http/local-path.ts';
import type { Problem } from '../http/problem.ts';
import type { Access, Answer, AnswerHeaders, Call, ObjectSchema, Output, Route } from '../http/route.ts';
import type { Html } from './html.ts';
import { formPageHeaders, htmlPage, type Page } from './page.ts';

/** Where a browser is sent: another page, or what `localPath` let through. */
export type NextPlace = LocalPath | `/account/${string}` | '/mailbox' | `/mailbox/${string}`;

/** What a page answers with: itself, or where the browser goes next. */
export type PageAnswer =
  | { readonly page: Page; readonly status?: number; readonly headers?: AnswerHeaders }
  | { readonly seeOther: NextPlace; readonly headers?: AnswerHeaders };

/** What a page is declared with. */
export interface PageDeclaration<
  Params extends ObjectSchema | undefined,
  Query extends ObjectSchema | undefined,
  Form extends ObjectSchema | undefined,
  Who extends Access,
> {
  readonly method: 'get' | 'post';
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly access: Who;
  readonly params?: Params;
  readonly query?: Query;
  /** Fields of the form that is sent to it: each is one text. */
  readonly form?: Form;
  /** What all pages have around them. */
  readonly layout?: (page: Page) => Html;
  /** The page for whatever is no success, in the words of the problem document. */
  readonly problemPage: (problem: Problem) => Page;
  readonly handle: (
    call: Call<Output<Params>, Output<Query>, Form extends z.ZodType ? z.output<Form> : undefined, Who>,
  ) => Promise<PageAnswer> | PageAnswer;
}

const answerOf = (answer: PageAnswer, layout: (page: Page) => Html): Answer => {
  // RFC 9110 §15.4.4: after a form comes a GET, so that going back or loading anew sends nothing twice.
  if ('seeOther' in answer) return { status: 303, headers: { ...answer.headers, Location: answer.seeOther } };
  const { page, status = 200, headers } = answer;
  return { status, headers: { ...formPageHeaders, ...headers }, json: layout(page).toString() };
};

/**
 * Declares a page for people: HTML that works without scripts, made for one visitor and kept by nobody; a form comes back to it by
 * POST. It is not in the documentation of the interface, and what goes wrong is a page too.
 *
 * @param declaration - path, access, fields, and the handler
 */
export const definePage = <
  Who extends Access,
  Params extends ObjectSchema | undefined = undefined,
  Query extends ObjectSchema | undefined = undefined,
  Form extends ObjectSchema | undefined = undefined,
>(
  declaration: PageDeclaration<Params, Query, Form, Who>,
): Route => {
  const { layout = htmlPage, problemPage, handle, ...rest } = declaration;
  return {
    ...rest,
    tag: 'pages',
    hidden: true,
    responses: {
      200: { description: 'A page.', mediaTypes: ['text/html'] },
      303: { description: 'Where to go next.' },
    },
    problemPage: (problem) => ({ headers: formPageHeaders, text: layout(problemPage(problem)).toString() }),
    handle: async (call) => answerOf(await handle(call), layout),
  };
};
