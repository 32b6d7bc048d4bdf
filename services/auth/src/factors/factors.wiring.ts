import type { Handler, RemovalStep } from '@causeway/events';
import { bySystem } from '@causeway/service';

import type { Feature, Ground } from '../feature.ts';
import { createDeviceCookie } from '../guessing/device-cookie.ts';
import type { Guessing } from '../guessing/guessing.wiring.ts';
import type { TellOwner } from '../mail/tell-owner.ts';
import type { Proofs } from '../proofs/proofs.wiring.ts';
import { createTellEnding } from '../revocations/tell-ending.ts';
import type { Revocations } from '../revocations/revocations.wiring.ts';
import { stepUpRules } from '../sessions/step-up-rules.ts';
import type { Ticketing } from '../tickets/tickets.wiring.ts';
import type { TokenMakers } from '../tokens/tokens.wiring.ts';
import { createDemandFewAdded } from './addition-rate.ts';
import { createBeginTotp, createConfirmTotp } from './enrol-totp.ts';
import { beginTotpRoute, confirmTotpRoute } from './enrol-totp.route.ts';
import { listFactorsRoute, removeFactorRoute, renameFactorRoute, replaceRecoveryCodesRoute } from './factors.route.ts';
import { createForgetPending, forgetFactors } from './forget-factors.ts';
import { createEnsureRecoveryCodes, createReplaceRecoveryCodes, createUseRecoveryCode } from './keep-recovery-codes.ts';
import { mailsOfFactors } from './mail-of-factors.handler.ts';
import { createNoteFactors } from './note-factors.ts';
import { createOfferUndo } from './offer-undo.ts';
import { createRecoveryCodes } from './recovery-codes.ts';
import { createRemoveFactor, createRenameFactor } from './remove-factor.ts';
import { createOpenSecondProof } from './open-second-proof.ts';
import { createPasskeys } from './passkeys/passkeys.wiring.ts';
import { createUndoFactor } from './undo-factor.ts';
import { undoFactorRoute } from './undo-factor.route.ts';
import { createUseTotp } from './use-totp.ts';

const forgetEveryMs = 60_000;

type FactorsGround = Pick<
  Ground,
  | 'config'
  | 'events'
  | 'accounts'
  | 'accountQueries'
  | 'factors'
  | 'factorQueries'
  | 'sessions'
  | 'proofs'
  | 'masterKey'
  | 'now'
>;

/** What people prove who they are with, beside a password. */
export function createFactors(
  ground: FactorsGround,
  {
    guessing: { guard, knownDevices },
    proofs: { openProof, useProof, withdrawProofs },
    revocations: { teller },
    tokens: { deviceTokens },
    ...others
  }: {
    readonly guessing: Pick<Guessing, 'guard' | 'knownDevices'>;
    readonly proofs: Pick<Proofs, 'openProof' | 'useProof' | 'withdrawProofs'>;
    readonly revocations: Pick<Revocations, 'teller'>;
    readonly tokens: Pick<TokenMakers, 'deviceTokens'>;
    readonly ticketing: Pick<Ticketing, 'tickets'>;
  },
) {
  const { config, events, factors, factorQueries, masterKey, now } = ground;
  const { transaction } = events;
  const vault = masterKey.vault('factors');
  const recoveryCodes = createRecoveryCodes(masterKey.derive('recovery-codes'));
  const noteFactors = createNoteFactors({ ...ground, withdrawProofs, deviceTokens });
  const keeping = { factors, factorQueries, recoveryCodes, now };
  const ensureRecoveryCodes = createEnsureRecoveryCodes(keeping);
  const demandFewAdded = createDemandFewAdded(ground);
  const offerUndo = createOfferUndo({ ...ground, openProof, demandFewAdded, publicUrl: config.publicUrl });
  const enrolling = {
    ...ground,
    transaction,
    vault,
    guard,
    issuer: config.tokenIssuer,
    noteFactors,
    ensureRecoveryCodes,
    offerUndo,
  };
  const changing = { ...ground, transaction };
  const deviceCookie = createDeviceCookie(config.publicUrl);
  const { recent, surely } = stepUpRules(config);
  const { askForPasskey, openPasskey, ...passkeys } = createPasskeys(ground, {
    ...others,
    noteFactors,
    ensureRecoveryCodes,
    offerUndo,
    deviceCookie,
  });
  const forgetPending = createForgetPending({ factors, factorQueries, now });
  const beginTotp = createBeginTotp(enrolling);
  const confirmTotp = createConfirmTotp(enrolling);
  const renameFactor = createRenameFactor(changing);
  const removeFactor = createRemoveFactor(changing);
  const { tickets } = others.ticketing;
  const tellEnding = createTellEnding({ teller, now });
  const undoing = { ...changing, openProof, useProof, withdrawProofs };
  const undoFactor = createUndoFactor({ ...undoing, tickets, knownDevices, tellEnding });
  const replaceRecoveryCodes = createReplaceRecoveryCodes({ ...keeping, noteFactors, transaction });
  return {
    askForPasskey,
    openPasskey,
    ...{ beginTotp, confirmTotp, renameFactor, removeFactor, replaceRecoveryCodes, undoFactor },
    openSecondProof: createOpenSecondProof({
      openPasskey,
      useTotp: createUseTotp({ factors, factorQueries, vault, now }),
      useRecoveryCode: createUseRecoveryCode(keeping),
    }),
    ensureIndexes: () => factorQueries.ensureIndexes(),
    routes: [
      beginTotpRoute({ beginTotp, recent }),
      confirmTotpRoute({ confirmTotp, deviceCookie, recent }),
      ...passkeys.routes,
      listFactorsRoute({ factorQueries }),
      renameFactorRoute({ renameFactor, recent }),
      removeFactorRoute({ removeFactor, recent: surely }),
      replaceRecoveryCodesRoute({ replaceRecoveryCodes, recent: surely }),
      undoFactorRoute({ undoFactor }),
    ],
    jobs: [{ name: 'forget-factors', everyMs: forgetEveryMs, run: (signal) => forgetPending(bySystem(), signal) }],
  } satisfies Feature;
}

/** What {@link createFactors} gives. */
export type Factors = ReturnType<typeof createFactors>;

/** What is done about factors that have changed. */
export const factorHandlers = (
  late: () => {
    readonly ground: Pick<Ground, 'config' | 'sessions'>;
    readonly mail: { readonly tellOwner: TellOwner };
  },
): Handler[] =>
  mailsOfFactors(() => {
    const { ground, mail } = late();
    return { sessions: ground.sessions, tellOwner: mail.tellOwner, publicUrl: ground.config.publicUrl };
  });

/** What is done about the factors of somebody who is erased. */
export const factorRemovalSteps = (
  late: () => { readonly ground: Pick<Ground, 'events' | 'factors' | 'factorQueries'> },
): RemovalStep[] => [
  forgetFactors({
    factors: () => late().ground.factors,
    factorQueries: () => late().ground.factorQueries,
    redaction: () => late().ground.events.redaction,
  }),
];
