import type { RemovalStep } from '@causeway/events';

import type { Feature, Ground } from '../feature.ts';
import type { Guessing } from '../guessing/guessing.wiring.ts';
import { bySystem } from '../jobs.ts';
import type { Proofs } from '../proofs/proofs.wiring.ts';
import { stepUpRules } from '../sessions/step-up-rules.ts';
import type { Ticketing } from '../tickets/tickets.wiring.ts';
import { createBeginTotp, createConfirmTotp } from './enrol-totp.ts';
import { beginTotpRoute, confirmTotpRoute } from './enrol-totp.route.ts';
import { listFactorsRoute, removeFactorRoute, renameFactorRoute, replaceRecoveryCodesRoute } from './factors.route.ts';
import { createForgetPending, forgetFactors } from './forget-factors.ts';
import { createRenewRecoveryCodes, createReplaceRecoveryCodes, createUseRecoveryCode } from './keep-recovery-codes.ts';
import { createNoteFactors } from './note-factors.ts';
import { createRecoveryCodes } from './recovery-codes.ts';
import { createRemoveFactor, createRenameFactor } from './remove-factor.ts';
import { createOpenSecondProof } from './open-second-proof.ts';
import { createPasskeys } from './passkeys/passkeys.wiring.ts';
import { createUseTotp } from './use-totp.ts';

const forgetEveryMs = 60_000;

type FactorsGround = Pick<
  Ground,
  'config' | 'events' | 'accounts' | 'accountQueries' | 'factors' | 'factorQueries' | 'sessions' | 'masterKey' | 'now'
>;

/** What people prove who they are with, beside a password. */
export function createFactors(
  ground: FactorsGround,
  {
    guessing: { guard },
    proofs: { withdrawProofs },
    ...others
  }: {
    readonly guessing: Pick<Guessing, 'guard'>;
    readonly proofs: Pick<Proofs, 'withdrawProofs'>;
    readonly ticketing: Pick<Ticketing, 'tickets'>;
  },
) {
  const { config, events, factors, factorQueries, masterKey, now } = ground;
  const { transaction } = events;
  const vault = masterKey.vault('factors');
  const recoveryCodes = createRecoveryCodes(masterKey.derive('recovery-codes'));
  const noteFactors = createNoteFactors({ ...ground, withdrawProofs });
  const keeping = { factors, factorQueries, recoveryCodes, now };
  const renewRecoveryCodes = createRenewRecoveryCodes(keeping);
  const enrolling = {
    ...ground,
    transaction,
    vault,
    guard,
    issuer: config.tokenIssuer,
    noteFactors,
    renewRecoveryCodes,
  };
  const changing = { ...ground, transaction };
  const { recent, surely } = stepUpRules(config);
  const { askForPasskey, openPasskey, ...passkeys } = createPasskeys(ground, {
    ...others,
    noteFactors,
    renewRecoveryCodes,
  });
  const forgetPending = createForgetPending({ factors, factorQueries, now });
  const beginTotp = createBeginTotp(enrolling);
  const confirmTotp = createConfirmTotp(enrolling);
  const renameFactor = createRenameFactor(changing);
  const removeFactor = createRemoveFactor(changing);
  const replaceRecoveryCodes = createReplaceRecoveryCodes({ ...keeping, noteFactors, transaction });
  return {
    askForPasskey,
    openPasskey,
    ...{ beginTotp, confirmTotp, renameFactor, removeFactor, replaceRecoveryCodes },
    openSecondProof: createOpenSecondProof({
      openPasskey,
      useTotp: createUseTotp({ factors, factorQueries, vault, now }),
      useRecoveryCode: createUseRecoveryCode(keeping),
    }),
    ensureIndexes: () => factorQueries.ensureIndexes(),
    routes: [
      beginTotpRoute({ beginTotp, recent }),
      confirmTotpRoute({ confirmTotp, recent }),
      ...passkeys.routes,
      listFactorsRoute({ factorQueries }),
      renameFactorRoute({ renameFactor, recent }),
      removeFactorRoute({ removeFactor, recent: surely }),
      replaceRecoveryCodesRoute({ replaceRecoveryCodes, recent: surely }),
    ],
    jobs: [{ name: 'forget-factors', everyMs: forgetEveryMs, run: (signal) => forgetPending(bySystem(), signal) }],
  } satisfies Feature;
}

/** What {@link createFactors} gives. */
export type Factors = ReturnType<typeof createFactors>;

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
