import { defineSettings } from '@causeway/service';
import type { SettingsCheck } from '@causeway/service';

import { parseSender } from '../mail/mail-address.ts';
import { parseSmtpAddress } from '../mail/smtp-address.ts';

/** Where mails go, and what they say. */
export const mailSettings = defineSettings({
  smtpUrl: {
    env: 'SMTP_URL',
    type: 'secret',
    optional: true,
    description:
      'The mail server, such as `smtps://user:password@smtp.example.com:465`, or `smtp://…:587` with STARTTLS, which is demanded but of this machine, unless the address ends in `?starttls=optional`. Set either this or `MAILBOX=true`.',
  },
  mailFrom: {
    env: 'MAIL_FROM',
    type: 'string',
    optional: true,
    description: 'Who mails are from, such as `Causeway <no-reply@example.com>`; needed with `SMTP_URL`.',
  },
  mailbox: {
    env: 'MAILBOX',
    type: 'boolean',
    default: false,
    description:
      'Mails are not sent, but kept for administrators to read (`GET /v1/auth/mailbox`), the newest thousand. For an installation without a mail server, where everybody trusts the administrators with their links.',
  },
  mailUnknownAddresses: {
    env: 'MAIL_UNKNOWN_ADDRESSES',
    type: 'boolean',
    default: false,
    description:
      'Whoever asks for a link to sign in, or to set a password, with an address that nobody has is told so, by mail to that address; else nothing is mailed. What the call answers is the same in any case.',
  },
  mailTemplates: {
    env: 'MAIL_TEMPLATES',
    type: 'string',
    optional: true,
    description:
      'A folder of templates that take the place of those in `templates/mail` that have the same name; what is wrong with one is told at start.',
  },
});

/** Mails have one place to go to. */
export const checkMailSettings: SettingsCheck<typeof mailSettings> = ({ smtpUrl, mailFrom, mailbox }) => {
  const { smtpUrl: url, mailFrom: from, mailbox: box } = mailSettings;
  const problems: string[] = [];
  if (mailbox !== undefined && (smtpUrl !== undefined) === mailbox) {
    problems.push(`${url.env} or ${box.env}=true has to be set, and not both: mails have one place to go to`);
  }
  if (smtpUrl !== undefined && parseSmtpAddress(smtpUrl) === undefined) {
    problems.push(`${url.env} must be an address such as smtps://user:password@smtp.example.com:465`);
  }
  if (mailFrom !== undefined && parseSender(mailFrom) === undefined) {
    problems.push(`${from.env} must be an address such as Causeway <no-reply@example.com>`);
  }
  if (smtpUrl !== undefined && mailFrom === undefined) {
    problems.push(`${from.env} is not set: ${from.description}`);
  }
  return problems;
};
