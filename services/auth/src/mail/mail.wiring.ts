import type { Handler, RemovalStep } from '@causeway/events';
import { bySystem } from '@causeway/service';

import type { Audit } from '../audit/audit.wiring.ts';
import type { Config } from '../config.ts';
import type { Feature, Ground } from '../feature.ts';
import { createMailbox } from '../mailbox/mailbox.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import { listMailboxRoute, readMailboxRoute } from '../mailbox/mailbox.route.ts';
import type { Proofs } from '../proofs/proofs.wiring.ts';
import { stepUpRules } from '../sessions/step-up-rules.ts';
import { createForgetMails, forgetMailsOf, forgetMailsOfLinks } from './forget-mails.ts';
import type { ForgetMailsDependencies } from './forget-mails.ts';
import { parseSender } from './mail-address.ts';
import { createMailLeases } from './mail-lease.ts';
import type { MailTransport } from './mail-transport.ts';
import { createMailboxTransport } from './mailbox-transport.ts';
import { createQueueMail } from './queue-mail.ts';
import { createSendMail } from './send-mail.ts';
import type { SendMail } from './send-mail.ts';
import { sendMailHandler } from './send-mail.handler.ts';
import { parseSmtpAddress } from './smtp-address.ts';
import { createSmtpTransport } from './smtp-transport.ts';
import { createTellOwner } from './tell-owner.ts';
import { loadTemplates } from './templates.ts';
import { watchWaiting } from './waiting-gauge.ts';

const forgetEveryMs = 3_600_000;
const countEveryMs = 10_000;

const transportOf = (
  { smtpUrl, mailFrom }: Config,
  { mails, mailbox }: { readonly mails: Ground['mails']; readonly mailbox: Mailbox },
): MailTransport => {
  const isThere = async (_id: string): Promise<boolean> =>
    (await mails.native.findOne({ _id }, { projection: { _id: 1 } })) !== null;
  const server = parseSmtpAddress(smtpUrl ?? '');
  const sender = parseSender(mailFrom ?? '');
  // Settings that are checked have both, or a mailbox.
  return server === undefined || sender === undefined
    ? createMailboxTransport({ mailbox, isThere })
    : createSmtpTransport({ server, sender });
};

/** Mails: queued by whoever handles an event, sent from their templates. */
export async function createMail(
  ground: Ground,
  {
    proofs: { linkOf },
    audit: { noteReading },
  }: { readonly proofs: Pick<Proofs, 'linkOf'>; readonly audit: Pick<Audit, 'noteReading'> },
) {
  const { config, events, masterKey, accounts, mails, mailQueries, mailDelaysMs: delaysMs, logger, now } = ground;
  const { db } = events;
  const mailbox = createMailbox({ db, vault: masterKey.vault('mailbox'), now });
  const leases = createMailLeases(db);
  const forgetting: ForgetMailsDependencies = { mails, mailQueries, mailbox, leases };
  const forgetMails = createForgetMails({ ...forgetting, redaction: events.redaction, now });
  const render = await loadTemplates(config.mailTemplates);
  const transport = transportOf(config, { mails, mailbox });
  const site = new URL(config.publicUrl).host;
  const { recent } = stepUpRules(config);
  const reading = { mailbox, noteReading, recent };
  const queueMail = createQueueMail({ mails, persons: events.persons });
  return {
    queueMail,
    tellOwner: createTellOwner({ accounts, mails, queueMail, publicUrl: config.publicUrl, now }),
    sendMail: createSendMail({ mails, events, leases, transport, render, linkOf, site, delaysMs, logger, now }),
    ...{ mailbox, forgetting },
    routes: config.mailbox ? [listMailboxRoute(reading), readMailboxRoute(reading)] : [],
    ensureIndexes: () => Promise.all([mailQueries.ensureIndexes(), mailbox.ensureIndexes()]),
    jobs: [
      { name: 'forget-mails', everyMs: forgetEveryMs, run: (signal) => forgetMails(bySystem(), signal) },
      { name: 'count-mails', everyMs: countEveryMs, run: watchWaiting(mailQueries) },
    ],
  } satisfies Feature;
}

/** What {@link createMail} gives. */
export type Mail = Awaited<ReturnType<typeof createMail>>;

/** What is done about mails that are queued. */
export const mailHandlers = (late: () => { readonly mail: { readonly sendMail: SendMail } }): Handler[] => [
  sendMailHandler(() => late().mail.sendMail),
];

type LateForErasure = () => {
  readonly ground: Pick<Ground, 'events' | 'erasureNotes' | 'proofQueries'>;
  readonly mail: { readonly forgetting: ForgetMailsDependencies };
};

const ofErased = (late: LateForErasure) => ({
  dependencies: () => late().mail.forgetting,
  addresses: () => late().ground.erasureNotes,
  redaction: () => late().ground.events.redaction,
});

/** What is done about the mails that others had sent to somebody who is erased, before their links go. */
export const foreignMailRemovalSteps = (late: LateForErasure): RemovalStep[] => [
  forgetMailsOfLinks({
    ...ofErased(late),
    linksOf: (...asked) => late().ground.proofQueries.askedByOthers(...asked),
  }),
];

/** What is done about the mails of somebody who is erased. */
export const mailRemovalSteps = (late: LateForErasure): RemovalStep[] => [
  forgetMailsOf({
    ...ofErased(late),
    liveProofsOf: (erased) => late().ground.proofQueries.liveIdsSince(erased),
  }),
];
