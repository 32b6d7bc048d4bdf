import type { Handler, RemovalStep } from '@causeway/events';
import { bySystem } from '@causeway/service';

import type { Feature, Ground } from '../feature.ts';
import type { QueueMail } from '../mail/queue-mail.ts';
import type { Devices } from '../guessing/devices.wiring.ts';
import { createAskRedis } from '../guessing/ask-redis.ts';
import { createWindowCounter } from '../guessing/window-counter.ts';
import { createAdmitAsker, createAskForLink } from './ask-for-link.ts';
import { createForgetProofs, forgetProofsOf } from './forget-proofs.ts';
import { createLinkOf } from './link-of.ts';
import { createLinkQuota } from './link-quota.ts';
import { mailProof } from './mail-proof.handler.ts';
import { createOpenProof } from './open-proof.ts';
import { createProofTokens } from './proof-token.ts';
import { createRequestProof } from './request-proof.ts';
import { createUseProof } from './use-proof.ts';
import { createExpireProofs, createWithdrawProofs, createWithdrawSignUps } from './withdraw-proofs.ts';

const expireEveryMs = 60_000;
const forgetEveryMs = 3_600_000;
/** Nobody knows when they will look at their mail, and it opens nothing but the way to the password. */
const unlockLifetimeMs = 24 * 3_600_000;

const hourMs = 3_600_000;

type ProofsGround = Pick<
  Ground,
  'config' | 'events' | 'logger' | 'masterKey' | 'proofs' | 'proofQueries' | 'now' | 'redis' | 'redisPrefix'
>;

/** Links by which somebody proves that an e-mail address is theirs. */
export function createProofs(
  ground: ProofsGround,
  { devices: { knownDevices } }: { readonly devices: Pick<Devices, 'knownDevices'> },
) {
  const { config, events, masterKey, proofs, proofQueries, now } = ground;
  const { persons, transaction } = events;
  const proofTokens = createProofTokens(masterKey.derive('proof-token'));
  const quota = createLinkQuota({ db: events.db, secret: masterKey.derive('link-quota'), now });
  const lifetimesMs = {
    'verify-email': config.linkLifetimeMs,
    'sign-up': config.linkLifetimeMs,
    'sign-in-link': config.resetLifetimeMs,
    'reset-password': config.resetLifetimeMs,
    'change-email': config.linkLifetimeMs,
    'undo-email': config.emailUndoMs,
    'undo-factor': config.factorUndoMs,
    unlock: unlockLifetimeMs,
  };
  const openProof = createOpenProof({ proofs, lifetimesMs, now });
  const expireProofs = createExpireProofs({ proofs, proofQueries, now });
  const forgetProofs = createForgetProofs({ proofs, proofQueries, redaction: events.redaction, now });
  const requestProof = createRequestProof({ openProof, quota, lifetimesMs, persons, transaction });
  const blocks = createWindowCounter({
    ask: createAskRedis({ redis: ground.redis, logger: ground.logger, what: 'links that are asked for' }),
    prefix: `${ground.redisPrefix}:links`,
    rules: { places: config.linksPerBlock, windowMs: hourMs },
  });
  const admitAsker = createAdmitAsker({ blocks, secret: masterKey.derive('link-askers') });
  return {
    ...{ openProof, requestProof, admitAsker },
    askForLink: createAskForLink({ requestProof, admitAsker, knownDevices }),
    useProof: createUseProof({ proofs, proofTokens, now }),
    linkOf: createLinkOf({ proofs, proofTokens, publicUrl: config.publicUrl, now }),
    withdrawProofs: createWithdrawProofs({ proofs, now }),
    withdrawSignUps: createWithdrawSignUps({ proofs, now }),
    ensureIndexes: () => Promise.all([proofQueries.ensureIndexes(), quota.ensureIndexes()]),
    jobs: [
      { name: 'expire-proofs', everyMs: expireEveryMs, run: (signal) => expireProofs(bySystem(), signal) },
      { name: 'forget-quotas', everyMs: forgetEveryMs, run: () => quota.forgetOld() },
      { name: 'forget-proofs', everyMs: forgetEveryMs, run: (signal) => forgetProofs(bySystem(), signal) },
    ],
  } satisfies Feature;
}

/** What {@link createProofs} gives. */
export type Proofs = ReturnType<typeof createProofs>;

/** What is done about links that are asked for. */
export const proofHandlers = (
  late: () => {
    readonly ground: Pick<Ground, 'accounts' | 'config' | 'proofs' | 'now'>;
    readonly mail: { readonly queueMail: QueueMail };
  },
): Handler[] => [
  mailProof(() => {
    const { ground, mail } = late();
    const { publicUrl, mailUnknownAddresses: mailsUnknown } = ground.config;
    return { ...ground, queueMail: mail.queueMail, publicUrl, mailsUnknown };
  }),
];

/** What is done about the links of somebody who is erased. */
export const proofRemovalSteps = (
  late: () => { readonly ground: Pick<Ground, 'events' | 'erasureNotes' | 'proofs' | 'proofQueries'> },
): RemovalStep[] => [
  forgetProofsOf({
    dependencies: () => late().ground,
    addresses: () => late().ground.erasureNotes,
    redaction: () => late().ground.events.redaction,
  }),
];
