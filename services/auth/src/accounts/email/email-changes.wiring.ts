import type { Handler } from '@causeway/events';

import type { Feature, Ground } from '../../feature.ts';
import type { Guessing } from '../../guessing/guessing.wiring.ts';
import type { QueueMail } from '../../mail/queue-mail.ts';
import type { Proofs } from '../../proofs/proofs.wiring.ts';
import { createTellEnding } from '../../revocations/tell-ending.ts';
import type { Revocations } from '../../revocations/revocations.wiring.ts';
import type { Sessions } from '../../sessions/sessions.wiring.ts';
import type { Ticketing } from '../../tickets/tickets.wiring.ts';
import type { TokenMakers } from '../../tokens/tokens.wiring.ts';
import type { Accounts } from '../accounts.wiring.ts';
import { confirmEmailChangeRoute, requestEmailChangeRoute, undoEmailChangeRoute } from './change-email.routes.ts';
import { createConfirmEmailChange } from './confirm-email-change.ts';
import { mailOfEmail } from './mail-of-email.handler.ts';
import { releaseReservation } from './release-reservation.handler.ts';
import type { ReleaseReservationDependencies } from './release-reservation.handler.ts';
import { createReservations } from './reservations.ts';
import { createUndoEmailChange } from './undo-email-change.ts';

interface Others {
  readonly accounts: Pick<Accounts, 'demandOwner'>;
  readonly sessions: Pick<Sessions, 'keepSession' | 'sessionTokens' | 'cookies'>;
  readonly proofs: Pick<Proofs, 'askForLink' | 'openProof' | 'useProof' | 'withdrawProofs' | 'withdrawSignUps'>;
  readonly revocations: Pick<Revocations, 'teller'>;
  readonly tokens: Pick<TokenMakers, 'deviceTokens'>;
  readonly guessing: Guessing;
  readonly ticketing: Pick<Ticketing, 'tickets'>;
}

type EmailGround = Pick<Ground, 'config' | 'events' | 'accounts' | 'factors' | 'proofs' | 'masterKey' | 'now'>;

/** Changing the address of an account, and taking that back. */
export function createEmailChanges(
  ground: EmailGround,
  {
    accounts: { demandOwner },
    sessions: { keepSession, sessionTokens, cookies },
    proofs: { askForLink, openProof, useProof, withdrawProofs, withdrawSignUps },
    revocations: { teller },
    tokens: { deviceTokens },
    guessing: { guard, knownDevices },
    ticketing: { tickets },
  }: Others,
) {
  const { config, events, accounts, factors, proofs, masterKey, now } = ground;
  const reservations = createReservations({
    ...{ events, proofs, openProof, now },
    ...{ secret: masterKey.derive('reservation'), undoMs: config.emailUndoMs },
  });
  const tellEnding = createTellEnding({ teller, now });
  const common = { accounts, useProof, withdrawProofs, reservations, tellEnding, transaction: events.transaction, now };
  // Whoever has one proof alone must not move the account to where its links go.
  const recent = { maxAgeMs: config.stepUpAgeMs, acr: 'enrolled' } as const;
  const confirmEmailChange = createConfirmEmailChange({
    ...{ ...common, withdrawSignUps, demandOwner, keepSession, sessionTokens },
  });
  const undoEmailChange = createUndoEmailChange({
    ...{ ...common, factors, openProof, guard, knownDevices, tickets },
    undoMs: config.emailUndoMs,
  });
  return {
    ...{ confirmEmailChange, undoEmailChange, reservations },
    routes: [
      requestEmailChangeRoute({ askForLink, recent }),
      confirmEmailChangeRoute({ confirmEmailChange, cookies, deviceTokens }),
      undoEmailChangeRoute({ undoEmailChange }),
    ],
  } satisfies Feature;
}

/** What {@link createEmailChanges} gives. */
export type EmailChanges = ReturnType<typeof createEmailChanges>;

/** What is done about addresses that have changed. */
export const emailHandlers = (
  late: () => {
    readonly ground: Pick<Ground, 'accounts'>;
    readonly mail: { readonly queueMail: QueueMail };
    readonly emailChanges: Pick<ReleaseReservationDependencies, 'reservations'>;
  },
): Handler[] => [
  mailOfEmail(() => ({ queueMail: late().mail.queueMail })),
  releaseReservation(() => ({ accounts: late().ground.accounts, reservations: late().emailChanges.reservations })),
];
