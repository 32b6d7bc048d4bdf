import type { Handler } from '@causeway/events';

import { createClaimAccount } from '../accounts/claim-account.ts';
import type { Feature, Ground } from '../feature.ts';
import type { Guessing } from '../guessing/guessing.wiring.ts';
import type { TellOwner } from '../mail/tell-owner.ts';
import type { Proofs } from '../proofs/proofs.wiring.ts';
import { createTellEnding } from '../revocations/tell-ending.ts';
import type { Revocations } from '../revocations/revocations.wiring.ts';
import type { Sessions } from '../sessions/sessions.wiring.ts';
import type { Ticketing } from '../tickets/tickets.wiring.ts';
import type { TokenMakers } from '../tokens/tokens.wiring.ts';
import { createChangePassword } from './change-password.ts';
import { changePasswordRoute } from './change-password.route.ts';
import { mailOfPassword } from './mail-of-password.handler.ts';
import type { Passwords } from './passwords.wiring.ts';
import { createResetPassword } from './reset-password.ts';
import { resetPasswordRoute, sendResetRoute } from './reset-password.routes.ts';

interface Others {
  readonly passwords: Pick<Passwords, 'passwords' | 'judgePassword'>;
  readonly sessions: Pick<Sessions, 'keepSession' | 'sessionTokens' | 'cookies'>;
  readonly proofs: Pick<Proofs, 'askForLink' | 'useProof' | 'withdrawProofs'>;
  readonly revocations: Pick<Revocations, 'teller'>;
  readonly tokens: Pick<TokenMakers, 'deviceTokens'>;
  readonly guessing: Guessing;
  readonly ticketing: Pick<Ticketing, 'tickets'>;
}

/** Changing a password, and setting another by a link that is mailed. */
export function createPasswordChanges(
  ground: Pick<Ground, 'config' | 'events' | 'accounts' | 'accountQueries' | 'factors' | 'now'>,
  {
    passwords: { passwords, judgePassword },
    sessions: { keepSession, sessionTokens, cookies },
    proofs: { askForLink, useProof, withdrawProofs },
    revocations: { teller },
    tokens: { deviceTokens },
    guessing: { guard, knownDevices },
    ticketing: { tickets },
  }: Others,
) {
  const { config, events, accounts, accountQueries, now } = ground;
  const tellEnding = createTellEnding({ teller, now });
  const common = { passwords, judgePassword, guard, withdrawProofs, tellEnding, transaction: events.transaction };
  const claimAccount = createClaimAccount({ ...ground, withdrawProofs, knownDevices, tickets });
  const resetPassword = createResetPassword({ ...common, useProof, claimAccount });
  const changePassword = createChangePassword({
    ...{ ...common, accounts, accountQueries, keepSession, sessionTokens, knownDevices, deviceTokens, now },
    maxAgeMs: config.stepUpAgeMs,
  });
  return {
    ...{ resetPassword, changePassword },
    routes: [
      sendResetRoute({ askForLink, cookies }),
      resetPasswordRoute({ resetPassword, knownDevices, cookies }),
      changePasswordRoute({ changePassword, cookies }),
    ],
  } satisfies Feature;
}

/** What {@link createPasswordChanges} gives. */
export type PasswordChanges = ReturnType<typeof createPasswordChanges>;

/** What is done about passwords that have changed. */
export const passwordHandlers = (
  late: () => {
    readonly ground: Pick<Ground, 'accounts' | 'config'>;
    readonly mail: { readonly tellOwner: TellOwner };
  },
): Handler[] => [
  mailOfPassword(() => {
    const { ground, mail } = late();
    return { accounts: ground.accounts, tellOwner: mail.tellOwner, publicUrl: ground.config.publicUrl };
  }),
];
