import type { Mailbox } from '../mailbox/mailbox.ts';
import type { MailTransport } from './mail-transport.ts';

/** What {@link createMailboxTransport} is given. */
export interface MailboxTransportDependencies {
  readonly mailbox: Pick<Mailbox, 'forget' | 'put'>;
  /** Whether anything is kept of a mail by now. */
  readonly isThere: (mailId: string) => Promise<boolean>;
}

/** Mails stay here, for an administrator to read; but for one that was forgotten while it was on its way. */
export const createMailboxTransport = ({ mailbox, isThere }: MailboxTransportDependencies): MailTransport => ({
  async send(mail) {
    await mailbox.put(mail);
    if (!(await isThere(mail.id))) await mailbox.forget([mail.id]);
  },
});
