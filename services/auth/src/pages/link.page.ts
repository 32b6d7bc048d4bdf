import { Fault } from '@causeway/contracts';
import { createDemandSameOrigin, definePage, html } from '@causeway/service';
import type { Call, Html, Page, PageAnswer, Route } from '@causeway/service';
import { z } from 'zod';

import type { ProofDocument } from '../proofs/proof.model.ts';
import type { ProofKind } from '../proofs/proof-kinds.ts';
import { linkInvalid } from '../proofs/proofs.errors.ts';
import type { UseProof } from '../proofs/use-proof.ts';
import { failureOf, formExpired } from './form-failure.ts';
import type { FormFailure } from './form-failure.ts';
import { alertHtml, csrfField, layout, problemPage } from './layout.ts';
import { withCookies } from './members.ts';
import type { Member, Members } from './members.ts';
import type { Visitors } from './visitors.ts';

/** What {@link linkPages} are given. */
export interface LinkPagesDependencies {
  readonly publicUrl: string;
  readonly visitors: Visitors;
  readonly members: Pick<Members, 'known'>;
  readonly useProof: Pick<UseProof, 'look' | 'kindOf'>;
}

/** A link that is good, and who has opened it. */
export interface OpenedLink {
  /** Nobody's yet, where somebody signs up by it. */
  readonly proof: ProofDocument;
  /** Whoever is signed in, who need not be whose link it is. */
  readonly member: Member | undefined;
  readonly failure?: FormFailure | undefined;
  /** What was typed as a name before. */
  readonly name?: string;
}

/** The form of a link that is used. */
export interface UsedLink extends OpenedLink {
  readonly token: string;
  /** For a form of the page that follows. */
  readonly csrf: string;
  /** Empty where the form has no such field, and where nothing was typed. */
  readonly password: string;
  /** The same of one that is chosen in its place. */
  readonly newPassword: string;
  /** The same of what somebody wants to be called. */
  readonly name: string;
}

/** The page that a mailed link leads to. */
export interface LinkPage {
  readonly kinds: readonly ProofKind[];
  /** `/account/<name>/<token>` */
  readonly name: string;
  readonly operationId: string;
  readonly title: string | ((opened: OpenedLink) => string);
  /** What stands above the button: an explanation, and fields. */
  readonly body: (opened: OpenedLink) => Html;
  readonly button: string;
  /** Where whoever has an old link gets another; undefined where nobody knows what it was for. */
  readonly another: Html | ((kind: ProofKind | undefined) => Html);
  /** What faults are in the words of this page, by their codes. */
  readonly words?: Readonly<Record<string, string>>;
  /** Uses it. */
  readonly work: (call: Call, used: UsedLink) => Promise<PageAnswer>;
}

const text = z.string().default('');
const form = z.object({ password: text, newPassword: text, name: text, csrf: text });
const params = z.object({ token: z.string().max(2_048) });

/**
 * The pages of a link. Opening it uses nothing, since programs that look through mail for what is dangerous open it too: the page has a
 * button that does.
 */
export function linkPages({ publicUrl, visitors, members, useProof }: LinkPagesDependencies, page: LinkPage): Route[] {
  const demandSameOrigin = createDemandSameOrigin(publicUrl);
  const path = `/account/${page.name}/{token}` as const;
  const common = { path, params, access: 'anonymous', layout, problemPage } as const;

  const pageOf = (csrf: string, token: string, opened: OpenedLink): Page => ({
    title: typeof page.title === 'function' ? page.title(opened) : page.title,
    body: html`${alertHtml(opened.failure?.summary)}
      <form method="post" action="/account/${page.name}/${token}">
        ${page.body(opened)} ${csrfField(csrf)}
        <button type="submit">${page.button}</button>
      </form>`,
  });

  const over = (kind: ProofKind | undefined): PageAnswer => ({
    status: 404,
    page: {
      title: 'This link does not work',
      body: html`<p>It was used already, is too old, or was replaced by a newer one. Or it was not copied whole.</p>
        ${typeof page.another === 'function' ? page.another(kind) : page.another}`,
    },
  });

  const isOver = (error: unknown): boolean => error instanceof Fault && error.code === linkInvalid.declaration.code;

  /** Looks at a link; `then` may find it used all the same, by somebody who was quicker. */
  const open = async (
    call: Call,
    token: string,
    then: (opened: OpenedLink, csrf: string) => Promise<PageAnswer> | PageAnswer,
  ): Promise<PageAnswer> => {
    const { member, csrf, setCookie } = await members.known(call);
    const answer = async (): Promise<PageAnswer> => {
      try {
        return await then({ proof: await useProof.look(token, page.kinds), member }, csrf);
      } catch (error) {
        if (isOver(error)) return over(await useProof.kindOf(token));
        throw error;
      }
    };
    return withCookies(await answer(), setCookie);
  };

  return [
    definePage({
      ...common,
      method: 'get',
      operationId: `${page.operationId}Page`,
      summary: 'What a mailed link is for',
      handle: (call) =>
        open(call, call.params.token, (opened, csrf) => ({ page: pageOf(csrf, call.params.token, opened) })),
    }),
    definePage({
      ...common,
      method: 'post',
      operationId: `${page.operationId}ByForm`,
      summary: 'Uses a mailed link',
      form,
      async handle(call) {
        demandSameOrigin(call.request);
        const { token } = call.params;
        const { csrf: own, password, newPassword, name } = call.body;
        return open(call, token, async (opened, csrf) => {
          const refuse = (failure: FormFailure): PageAnswer => {
            const { status, headers } = failure;
            return { page: pageOf(csrf, token, { ...opened, name, failure }), status, headers };
          };
          if (!visitors.isOwn(call, own)) return refuse(formExpired);
          try {
            return await page.work(call, { ...opened, token, csrf, password, newPassword, name });
          } catch (error) {
            if (isOver(error)) throw error;
            return refuse(failureOf(error, page.words));
          }
        });
      },
    }),
  ];
}
