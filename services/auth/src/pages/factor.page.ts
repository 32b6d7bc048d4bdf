import { faults } from '@causeway/contracts';
import { definePage, html, validateBody } from '@causeway/service';
import type { Html, NextPlace, Page, RecentAuthentication, Route } from '@causeway/service';
import { z } from 'zod';

import type { AccountQueries } from '../accounts/account.model.ts';
import { personName } from '../accounts/person-name.ts';
import { callerOf } from '../factors/caller.ts';
import type { FactorDocument, FactorQueries } from '../factors/factor.model.ts';
import type { createRemoveFactor, createRenameFactor } from '../factors/remove-factor.ts';
import type { FormFailure } from './form-failure.ts';
import { alertHtml, csrfField, fieldHtml, memberLayout, memberProblemPage } from './layout.ts';
import type { Member, Members } from './members.ts';
import { withNotice } from './notices.ts';

/** What {@link factorPages} are given. */
export interface FactorPagesDependencies {
  readonly members: Members;
  readonly accounts: Pick<AccountQueries, 'credentialsOf'>;
  readonly factorQueries: Pick<FactorQueries, 'activeOf'>;
  readonly renameFactor: ReturnType<typeof createRenameFactor>;
  readonly removeFactor: ReturnType<typeof createRemoveFactor>;
  readonly recent: RecentAuthentication;
  /** For removing it. */
  readonly surely: RecentAuthentication;
}

const text = z.string().default('');
const params = z.object({ id: z.string().max(64) });
const renameForm = z.object({ name: text, csrf: text });
const removeForm = z.object({ csrf: text });
const fields = z.object({ name: personName });

interface Shown {
  readonly factor: FactorDocument;
  readonly csrf: string;
  readonly hasPassword: boolean;
  /** Whether it is the only second factor. */
  readonly isLast: boolean;
  readonly typed?: string;
  readonly failure?: FormFailure;
}

/** What becomes of the account with its last second factor. */
const whenLast = (hasPassword: boolean): Html =>
  html`It is your last second factor: your recovery codes go with it, and
  ${hasPassword ? 'your password alone signs in.' : html`<a href="/account/password">a password</a> has to be set first.`}`;

const page = ({ factor: { _id, name }, csrf, hasPassword, isLast, typed, failure }: Shown): Page => ({
  title: name,
  body: html`${alertHtml(failure?.summary)}
    <section class="panel" aria-labelledby="rename">
      <h2 id="rename">Name</h2>
      <form method="post" action="/account/factors/${_id}/name">
        ${fieldHtml({
          ...{ name: 'name', label: 'What you call it', type: 'text', autocomplete: 'off', required: true },
          ...{ value: typed ?? name, wrong: failure?.fields.name },
        })}
        ${csrfField(csrf)}
        <button class="quiet" type="submit">Save</button>
      </form>
    </section>
    <section class="panel" aria-labelledby="remove">
      <h2 id="remove">Remove it</h2>
      <p>It opens nothing any more, and you are signed out everywhere else. ${isLast && whenLast(hasPassword)}</p>
      <form class="deeds" method="post" action="/account/factors/${_id}/remove">
        ${csrfField(csrf)}
        <button class="danger" type="submit">Remove<span class="unseen"> ${name}</span></button>
        <a class="button quiet" href="/account/security">Keep it</a>
      </form>
    </section>`,
});

/** `/account/factors/{id}`: another name for a factor, or its end */
export function factorPages(dependencies: FactorPagesDependencies): Route[] {
  const { members, accounts, factorQueries, renameFactor, removeFactor, recent, surely } = dependencies;
  const layout = memberLayout('/account/security');
  const common = { params, access: 'anonymous', layout, problemPage: memberProblemPage } as const;

  const own = async ({ claims }: Member, id: string) => {
    const seconds = (await factorQueries.activeOf(claims.sub)).filter(({ kind }) => kind !== 'recovery-codes');
    const factor = seconds.find(({ _id }) => _id === id);
    if (factor === undefined) throw faults.notFound();
    return { factor, isLast: seconds.length === 1 };
  };
  const pageOf = async (member: Member, id: string, shown: Pick<Shown, 'typed' | 'failure'> = {}): Promise<Page> => {
    const account = await accounts.credentialsOf(member.claims.sub);
    const hasPassword = account?.passwordHash !== undefined;
    return page({ ...(await own(member, id)), csrf: member.csrf, hasPassword, ...shown });
  };

  const pathOf = (id: string): NextPlace => `/account/factors/${encodeURIComponent(id)}`;

  return [
    definePage({
      ...{ ...common, path: '/account/factors/{id}', method: 'get', operationId: 'factorPage' },
      summary: 'A second factor',
      handle: (call) =>
        members.show(
          call,
          pathOf(call.params.id),
          async (member) => ({ page: await pageOf(member, call.params.id) }),
          recent,
        ),
    }),
    definePage({
      ...{ ...common, path: '/account/factors/{id}/name', method: 'post', operationId: 'renameFactorByForm' },
      summary: 'Names a second factor',
      form: renameForm,
      handle: (call) =>
        members.act(call, {
          ...{ at: pathOf(call.params.id), csrf: call.body.csrf, recent },
          page: (member, failure) => pageOf(member, call.params.id, { typed: call.body.name, failure }),
          async work(member) {
            const {
              factor: { _id: factorId },
            } = await own(member, call.params.id);
            const { name } = validateBody(fields, { name: call.body.name }) as z.output<typeof fields>;
            await renameFactor(member.cause, { accountId: member.claims.sub, factorId, name });
            return { seeOther: withNotice('/account/security', 'factor-renamed') };
          },
        }),
    }),
    definePage({
      ...{ ...common, path: '/account/factors/{id}/remove', method: 'post', operationId: 'removeFactorByForm' },
      summary: 'Removes a second factor',
      form: removeForm,
      handle: (call) =>
        members.act(call, {
          ...{ at: pathOf(call.params.id), csrf: call.body.csrf, recent: surely },
          words: {
            'last-factor':
              'Your mail alone would open the account: it has no password, and no other second factor. Set a password first, or add another second factor.',
          },
          page: (member, failure) => pageOf(member, call.params.id, { failure }),
          async work(member) {
            const {
              factor: { _id: factorId },
            } = await own(member, call.params.id);
            await removeFactor(member.cause, { ...callerOf(member.claims), factorId });
            return { seeOther: withNotice('/account/security', 'factor-removed') };
          },
        }),
    }),
  ];
}
