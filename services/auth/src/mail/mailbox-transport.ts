import type { Mailbox } from '../mailbox/mailbox.ts';
import type { MailTransport } from './mail-transport.ts';

/** Mails stay here, for an administrator to read. */
export const createMailboxTransport = (mailbox: Pick<Mailbox, 'put'>): MailTransport => ({
  send: (mail) => mailbox.put(mail),
});
