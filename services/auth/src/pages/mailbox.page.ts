import { faults, isId } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import { definePage, html, validateQuery } from '@causeway/service';
import type { Html, NextPlace, Page, PageAnswer, RecentAuthentication, Route } from '@causeway/service';
import { z } from 'zod';

import { emailAddress } from '../accounts/email-address.ts';
import type { NoteReading, Reading } from '../audit/note-reading.ts';
import type { Mailbox, MailboxEntry, MailboxMail } from '../mailbox/mailbox.ts';
import { memberLayout, memberProblemPage } from './layout.ts';
import type { Member, MemberCall, Members } from './members.ts';
import { timeHtml } from './time.ts';

/** What {@link mailboxPages} are given. */
export interface MailboxPagesDependencies {
  readonly members: Pick<Members, 'show'>;
  readonly mailbox: Pick<Mailbox, 'list' | 'read'>;
  readonly noteReading: NoteReading;
  readonly recent: RecentAuthentication;
}

/** On one page: more than somebody looks through. */
const limit = 50;

const fields = z.object({ to: emailAddress.optional() });

const demandAdministrator = ({ claims }: Member): void => {
  if (!claims.roles.includes('admin')) throw faults.forbidden();
};

const row = ({ id, to, subject, at }: MailboxEntry): Html => html`
  <li>
    <div>
      <p><a href="/mailbox/${id}">${subject}</a></p>
      <p class="when">${to} · ${timeHtml(at)}</p>
    </div>
  </li>
`;

const listPage = (entries: readonly MailboxEntry[], to: string): Page => ({
  title: 'Mailbox',
  body: html`<section class="panel" aria-label="Mails">
    <p>This installation has no mail server: what would have been sent is here, the newest first.</p>
    <form class="search" method="get" action="/mailbox" role="search">
      <label for="to">Mails to</label>
      <input id="to" name="to" type="email" autocomplete="off" spellcheck="false" autocapitalize="none" value="${to}" />
      <button class="quiet" type="submit">Look for them</button>
    </form>
    ${
      entries.length === 0
        ? html`<p class="hint">${to === '' ? 'There are none yet.' : 'There are none to this address.'}</p>`
        : html`<ul class="rows">
            ${entries.map(row)}
          </ul>`
    }
    ${to !== '' && html`<p class="deeds"><a class="button quiet" href="/mailbox">All of them</a></p>`}
  </section>`,
});

/** A text whose addresses can be followed. */
const linked = (text: string): Html[] =>
  text
    .split(/(https?:\/\/[^\s<>"]+)/)
    .map((part, index) => (index % 2 === 1 ? html`<a href="${part}" rel="noreferrer">${part}</a>` : html`${part}`));

const mailPage = ({ to, subject, at, text }: MailboxMail): Page => ({
  title: subject,
  body: html`<article class="panel" aria-label="Mail">
    <dl>
      <dt>To</dt>
      <dd>${to}</dd>
      <dt>Written</dt>
      <dd>${timeHtml(at)}</dd>
    </dl>
    <pre>${linked(text)}</pre>
    <p class="deeds"><a class="button quiet" href="/mailbox">All mails</a></p>
  </article>`,
});

/** `/mailbox`: for administrators, in an installation without a mail server */
export function mailboxPages({ members, mailbox, noteReading, recent }: MailboxPagesDependencies): Route[] {
  const common = { access: 'anonymous', layout: memberLayout(), problemPage: memberProblemPage } as const;

  /** What is read is in the audit before it is shown. */
  const show = (
    call: MemberCall,
    at: NextPlace,
    page: (note: (reading: Omit<Reading, 'administratorId'>) => Promise<string>) => Promise<Page>,
  ): Promise<PageAnswer> =>
    members.show(
      call,
      at,
      async (member) => {
        demandAdministrator(member);
        const { sub: administratorId } = member.claims;
        const cause: Cause = { ...call.cause, principal: { type: 'app_user', id: administratorId } };
        return { page: await page((reading) => noteReading(cause, { administratorId, ...reading })) };
      },
      recent,
    );

  return [
    definePage({
      ...{ ...common, path: '/mailbox', method: 'get', operationId: 'mailboxPage' },
      summary: 'Mails of an installation without a mail server',
      query: z.object({ to: z.string().default('') }),
      handle: (call) =>
        show(call, '/mailbox', async (note) => {
          const { to } = call.query;
          const given = validateQuery(fields, to === '' ? {} : { to }) as z.output<typeof fields>;
          await note({ what: 'mailbox' });
          return listPage(await mailbox.list({ toKey: given.to?.key, limit }), to);
        }),
    }),
    definePage({
      ...{ ...common, path: '/mailbox/{id}', method: 'get', operationId: 'mailPage' },
      summary: 'A mail of an installation without a mail server',
      params: z.object({ id: z.string().refine((id) => isId('mal', id)) }),
      handle: (call) =>
        show(call, `/mailbox/${call.params.id}`, async (note) => {
          const mail = await mailbox.read(call.params.id);
          if (mail === undefined) throw faults.notFound();
          await note({ what: 'mail', about: call.params.id });
          return mailPage(mail);
        }),
    }),
  ];
}
