import { faults } from '@causeway/contracts';
import { definePage, html } from '@causeway/service';
import type { Html, Page, RecentAuthentication, Route } from '@causeway/service';
import { z } from 'zod';

import { callerOf } from '../factors/caller.ts';
import type { createReplaceRecoveryCodes } from '../factors/keep-recovery-codes.ts';
import type { FormFailure } from './form-failure.ts';
import { alertHtml, csrfField, memberLayout, memberProblemPage } from './layout.ts';
import type { Member, Members } from './members.ts';

/** What {@link recoveryCodesPages} are given. */
export interface RecoveryCodesPagesDependencies {
  readonly members: Members;
  readonly replaceRecoveryCodes: ReturnType<typeof createReplaceRecoveryCodes>;
  readonly recent: RecentAuthentication;
}

const path = '/account/recovery-codes';
const form = z.object({ csrf: z.string().default('') });

/** Codes, the one time that they are shown. */
export const codesHtml = (codes: readonly string[]): Html => html`
  <section class="panel" aria-labelledby="codes">
    <h2 id="codes">Your recovery codes</h2>
    <p>
      If you lose your second factor, each of these signs you in once in its place. Print them, or keep them where you
      keep passwords:
      <strong>they are not shown again</strong>.
    </p>
    <ol class="codes">
      ${codes.map((code) => html`<li>${code}</li>`)}
    </ol>
    <p class="deeds"><a class="button" href="/account/security">I have kept them</a></p>
  </section>
`;

const page = ({ csrf }: Member, failure?: FormFailure): Page => ({
  title: 'New recovery codes',
  body: html`${alertHtml(failure?.summary)}
    <section class="panel" aria-label="New recovery codes">
      <p>New codes take the place of those that you have, which open nothing from then on.</p>
      <div class="deeds">
        <form method="post" action="${path}">
          ${csrfField(csrf)}
          <button type="submit">Make new codes</button>
        </form>
        <a class="button quiet" href="/account/security">Leave them as they are</a>
      </div>
    </section>`,
});

/** `/account/recovery-codes` */
export function recoveryCodesPages(dependencies: RecoveryCodesPagesDependencies): Route[] {
  const { members, replaceRecoveryCodes, recent } = dependencies;
  const current = '/account/security';
  const common = { path, access: 'anonymous', layout: memberLayout(current), problemPage: memberProblemPage } as const;
  return [
    definePage({
      ...common,
      method: 'get',
      operationId: 'recoveryCodesPage',
      summary: 'Asks whether new recovery codes are wanted',
      handle: (call) => members.show(call, path, (member) => ({ page: page(member) }), recent),
    }),
    definePage({
      ...common,
      method: 'post',
      operationId: 'replaceRecoveryCodesByForm',
      summary: 'Makes new recovery codes',
      form,
      handle: (call) =>
        members.act(call, {
          ...{ at: path, csrf: call.body.csrf, recent, page },
          words: { [faults.conflict.declaration.code]: 'Add a second factor first: the codes stand in for it.' },
          async work({ cause, claims }) {
            const { codes } = await replaceRecoveryCodes(cause, callerOf(claims));
            return { page: { title: 'Recovery codes', body: codesHtml(codes) } };
          },
        }),
    }),
  ];
}
