import { faults, isId } from '@causeway/contracts';
import { defineRoute } from '@causeway/service';
import type { RecentAuthentication, Route } from '@causeway/service';
import { z } from 'zod';

import { emailAddress } from '../accounts/email-address.ts';
import type { NoteReading } from '../audit/note-reading.ts';
import { noStore } from '../sessions/session-tokens.ts';
import { eventHeader } from '../sessions/signed-in-answer.ts';
import type { Mailbox, MailboxEntry } from './mailbox.ts';

const entry = z.object({ id: z.string(), to: z.string(), subject: z.string(), at: z.iso.datetime() });

const mail = entry.extend({
  text: z.string(),
  html: z.string().meta({ description: 'As it would have been sent: show it as text, or in a sandbox.' }),
  links: z.array(z.string()).meta({ description: 'Every address in the text.' }),
});

const limit = z.coerce.number().int().min(1).max(200).default(50);

const represent = ({ at, ...rest }: MailboxEntry) => ({ ...rest, at: at.toISOString() });

const linksIn = (text: string): string[] => text.match(/https?:\/\/[^\s<>"]+/g) ?? [];

/** What reading the mailbox is given. */
export interface MailboxRouteDependencies {
  readonly mailbox: Pick<Mailbox, 'list' | 'read'>;
  readonly noteReading: NoteReading;
  readonly recent: RecentAuthentication;
}

/** `GET /v1/auth/mailbox`: what would have been sent, in an installation without a mail server. */
export const listMailboxRoute = ({ mailbox, noteReading, recent }: MailboxRouteDependencies): Route =>
  defineRoute({
    method: 'get',
    path: '/v1/auth/mailbox',
    operationId: 'listMailbox',
    tag: 'auth',
    summary: 'Mails of an installation without a mail server',
    description:
      'The newest first. There is no such call where mails are sent. That somebody reads it is in the audit.',
    access: 'admin',
    recent,
    query: z.object({ to: emailAddress.optional(), limit }),
    responses: {
      200: {
        description: 'What would have been sent.',
        schema: z.object({ items: z.array(entry) }),
        headers: eventHeader,
      },
    },
    async handle({ query, cause, token }) {
      const event = await noteReading(cause, { administratorId: token.sub, what: 'mailbox' });
      const items = await mailbox.list({ toKey: query.to?.key, limit: query.limit });
      return { status: 200, headers: { ...noStore, 'Causeway-Event': event }, body: { items: items.map(represent) } };
    },
  });

/** `GET /v1/auth/mailbox/{id}` */
export const readMailboxRoute = ({ mailbox, noteReading, recent }: MailboxRouteDependencies): Route =>
  defineRoute({
    method: 'get',
    path: '/v1/auth/mailbox/{id}',
    operationId: 'readMailbox',
    tag: 'auth',
    summary: 'A mail of an installation without a mail server',
    description: 'That somebody reads it is in the audit.',
    access: 'admin',
    recent,
    params: z.object({ id: z.string().refine((id) => isId('mal', id)) }),
    responses: { 200: { description: 'The mail, with its links.', schema: mail, headers: eventHeader } },
    faults: [faults.notFound],
    async handle({ params, cause, token }) {
      const found = await mailbox.read(params.id);
      if (found === undefined) throw faults.notFound();
      // Before it is told: its links open doors.
      const event = await noteReading(cause, { administratorId: token.sub, what: 'mail', about: params.id });
      const body = { ...represent(found), links: linksIn(found.text) };
      return { status: 200, headers: { ...noStore, 'Causeway-Event': event }, body };
    },
  });
