import { createTransport } from 'nodemailer';

import { createBoundedWork } from '../passwords/bounded-work.ts';
import type { Sender } from './mail-address.ts';
import { MailNotTaken } from './mail-transport.ts';
import type { MailTransport } from './mail-transport.ts';
import type { SmtpAddress } from './smtp-address.ts';

/** How long parts of a conversation may take. All of it is bounded by whoever sends. */
const patienceMs = { connectionTimeout: 5_000, greetingTimeout: 5_000, dnsTimeout: 5_000, socketTimeout: 20_000 };

/** Conversations at once. More wait, and only as many as there are handlers. */
const conversations = { concurrency: 4, queueLimit: 100 };

/** For how long a server that does not answer is not asked again: whoever waits for it holds a handler's place. */
const awayMs = 5_000;

/** What nodemailer's codes mean to whoever reads of it. */
const words: Readonly<Record<string, string>> = {
  ECONNECTION: 'no-connection',
  ESOCKET: 'no-connection',
  EDNS: 'no-such-host',
  ETIMEDOUT: 'no-answer',
  EABORT: 'no-answer',
  ETLS: 'no-tls',
  EAUTH: 'sign-in-refused',
  ENOAUTH: 'sign-in-refused',
  EPROTOCOL: 'no-smtp',
  EENVELOPE: 'no-such-address',
};

/** What the server says of us, and not of this mail: somebody has to set it right, and then it goes. */
const aboutUs = (code: string, command: string): boolean =>
  code === 'EAUTH' || ['CONN', 'EHLO', 'HELO', 'STARTTLS', 'MAIL FROM'].includes(command);

/** @returns why nodemailer could not send, without a word of the server's: it may quote the address */
export const notTaken = (error: unknown): MailNotTaken => {
  const { code, command, responseCode, message } = (error ?? {}) as Readonly<Record<string, unknown>>;
  const [known, at] = [String(code), String(command)];
  const answer = typeof responseCode === 'number' && responseCode > 0 ? responseCode : undefined;
  // RFC 5321 §4.2.1: 5yz will be the same however often it is tried. Without an answer: an address that cannot be told to a server.
  const refused = answer === undefined ? known === 'EENVELOPE' : answer >= 500;
  const reason = answer === undefined ? (words[known] ?? 'not-sent') : `answer-${answer}`;
  const ofNetwork = answer === undefined && known !== 'EENVELOPE' && typeof message === 'string';
  const detail = ofNetwork ? message : undefined;
  return new MailNotTaken(reason, { forGood: refused && !aboutUs(known, at), detail });
};

/** How {@link createSmtpTransport} is wired. */
export interface SmtpTransportOptions {
  readonly server: SmtpAddress;
  readonly sender: Sender;
}

const connect = ({ host, port, encryption, user, password }: SmtpAddress) =>
  createTransport({
    ...{ host, port, secure: encryption === 'always', requireTLS: encryption === 'demanded' },
    ...(user === undefined ? {} : { auth: { user, pass: password } }),
    ...patienceMs,
    // Nothing that stands in a mail is a path or an address to be fetched.
    ...{ disableFileAccess: true, disableUrlAccess: true },
  });

/** Mails go to a mail server, by SMTP; each by a connection of its own. */
export function createSmtpTransport({ server, sender }: SmtpTransportOptions): MailTransport {
  const smtp = connect(server);
  const work = createBoundedWork(conversations);
  const from = { name: sender.name, address: sender.address };
  // RFC 3834 §5: no machine answers it.
  const headers = { 'Auto-Submitted': 'auto-generated' };
  let awayUntil = Number.NEGATIVE_INFINITY;

  return {
    send: ({ id, to, subject, text, html }, signal) =>
      work.run(async () => {
        if (performance.now() < awayUntil) throw new MailNotTaken('no-connection', { forGood: false });
        try {
          const messageId = `<${id}@${sender.domain}>`;
          await smtp.sendMail({ from, to: { name: '', address: to }, messageId, headers, subject, text, html, signal });
        } catch (error) {
          const failure = notTaken(error);
          const { forGood, reason } = failure;
          if (!forGood && !reason.startsWith('answer-')) awayUntil = performance.now() + awayMs;
          throw failure;
        }
      }, signal),
  };
}
