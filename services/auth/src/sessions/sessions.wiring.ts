import type { Handler, RemovalStep } from '@causeway/events';
import { bySystem } from '@causeway/service';

import { endSessions, forgetSessions } from '../erasure/remove-sessions.ts';
import type { Factors } from '../factors/factors.wiring.ts';
import type { Feature, Ground } from '../feature.ts';
import type { Guessing } from '../guessing/guessing.wiring.ts';
import type { TellOwner } from '../mail/tell-owner.ts';
import type { Passwords } from '../passwords/passwords.wiring.ts';
import type { Proofs } from '../proofs/proofs.wiring.ts';
import type { Revocations } from '../revocations/revocations.wiring.ts';
import type { Ticketing } from '../tickets/tickets.wiring.ts';
import type { TokenMakers } from '../tokens/tokens.wiring.ts';
import { createAskForProof } from './ask-for-proof.ts';
import { secondFactorOptionsRoute, stepUpOptionsRoute } from './ask-for-proof.routes.ts';
import { createAdmit, createBeginSignIn, createCompleteSignIn } from './complete-sign-in.ts';
import { createCookieDelivery } from './cookie-delivery.ts';
import { createDemandVerified } from './demand-verified.ts';
import { createEndOtherSessions } from './end-other-sessions.ts';
import { createEndReplacedSession } from './end-replaced-session.ts';
import { createEndSession } from './end-session.ts';
import type { EndSession, Revoke } from './end-session.ts';
import { endSessionsOfAccount } from './end-sessions-of-account.handler.ts';
import { endOtherSessionsRoute, endSessionRoute } from './end-sessions.route.ts';
import { createExpireSessions } from './expire-sessions.ts';
import { createKeepSession } from './keep-session.ts';
import { listSessionsRoute } from './list-sessions.route.ts';
import { mailOfReuse } from './mail-of-reuse.handler.ts';
import { createOpenTicket } from './open-ticket.ts';
import { createPeekSession } from './peek-session.ts';
import { createPasskeySignIn } from './passkey-sign-in.ts';
import { passkeySignInOptionsRoute, passkeySignInRoute } from './passkey-sign-in.route.ts';
import { createRefresh } from './refresh.ts';
import { refreshRoute } from './refresh.route.ts';
import { createSecondFactor } from './second-factor.ts';
import { secondFactorRoute } from './second-factor.route.ts';
import { createSessionTokens } from './session-tokens.ts';
import { createSignIn } from './sign-in.ts';
import { signInRoute } from './sign-in.route.ts';
import { signOutRoute } from './sign-out.route.ts';
import { createStartSession } from './start-session.ts';
import { createStepUp } from './step-up.ts';
import { stepUpRoute } from './step-up.route.ts';

const expireEveryMs = 60_000;

type SessionsGround = Pick<
  Ground,
  'config' | 'now' | 'events' | 'accountQueries' | 'factorQueries' | 'sessions' | 'sessionQueries'
>;

interface Others {
  readonly passwords: Passwords;
  readonly revocations: Pick<Revocations, 'teller'>;
  readonly tokens: TokenMakers;
  readonly guessing: Guessing;
  readonly ticketing: Ticketing;
  readonly factors: Factors;
  readonly proofs: Pick<Proofs, 'requestProof' | 'useProof'>;
}

/** Signing in, and what sessions live through until they end. */
export function createSessions(
  ground: SessionsGround,
  { passwords: { passwords, renewHash }, revocations: { teller }, tokens, ...others }: Others,
) {
  const { config, now, accountQueries: accounts, sessions, sessionQueries, factorQueries } = ground;
  const { guard, knownDevices } = others.guessing;
  const { tickets } = others.ticketing;
  const { openSecondProof, openPasskey, askForPasskey } = others.factors;
  const askForProof = createAskForProof({ accounts, factorQueries, askForPasskey });
  const { transaction } = ground.events;
  const { refreshTokens, deviceTokens } = tokens;
  // Where Redis cannot pass it on, others find that something is missing, and ask.
  const revoke: Revoke = async (sessionId, until) => {
    await teller.tell([{ sid: sessionId, untilMs: until.getTime() }]);
  };
  const lifetimes = { idleMs: config.sessionIdleMs, absoluteMs: config.sessionAbsoluteMs };
  const endSession = createEndSession({ sessions, revoke, now });
  const endOtherSessions = createEndOtherSessions({ sessionQueries, endSession });
  const sessionTokens = createSessionTokens({ ...tokens, now });
  const startSession = createStartSession({ sessions, refreshTokens, lifetimes, now });
  const admit = createAdmit({ accounts, endSession, sessionTokens });
  const { requestProof, useProof } = others.proofs;
  const demandVerified = createDemandVerified({ requestProof, isRequired: config.emailVerification === 'required' });
  const beginSignIn = createBeginSignIn({ factorQueries, tickets, startSession, demandVerified });
  const completeSignIn = createCompleteSignIn({ beginSignIn, admit });
  const keepSession = createKeepSession({ sessions, refreshTokens, lifetimes, now });
  const signIn = createSignIn({ guard, knownDevices, accounts, passwords, renewHash, completeSignIn });
  const passkeySignIn = createPasskeySignIn({
    accounts,
    openPasskey,
    guard,
    knownDevices,
    completeSignIn,
    transaction,
  });
  const openTicket = createOpenTicket({ accounts, tickets });
  const completing = { tickets, openSecondProof, startSession, admit, transaction };
  const secondFactor = createSecondFactor({ guard, knownDevices, openTicket, ...completing });
  const refreshing = { refreshTokens, sessionTokens, lifetimes, revoke, endSession, now };
  const refresh = createRefresh({ ...refreshing, accounts, sessions });
  const peekSession = createPeekSession({ accounts, sessions, refreshTokens, now });
  const stepUp = createStepUp({
    ...{ guard, accounts, passwords, openSecondProof, useProof, sessions, refreshTokens, lifetimes, admit },
    ...{ transaction, now },
  });
  const expireSessions = createExpireSessions({ sessionQueries, endSession, now });
  const endReplacedSession = createEndReplacedSession({ refreshTokens, endSession });
  const { publicUrl } = config;
  const cookies = createCookieDelivery({ publicUrl, idleMs: lifetimes.idleMs, endReplacedSession });
  return {
    ...{ peekSession, endOtherSessions, stepUp },
    ...{ cookies, signIn, secondFactor, refresh, revoke, endSession, sessionTokens, startSession, completeSignIn },
    ...{ beginSignIn, admit, keepSession },
    ensureIndexes: () => sessionQueries.ensureIndexes(),
    routes: [
      signInRoute({ signIn, cookies, deviceTokens }),
      passkeySignInOptionsRoute({ askForPasskey }),
      passkeySignInRoute({ passkeySignIn, cookies, knownDevices }),
      secondFactorOptionsRoute({ openTicket, askForProof }),
      secondFactorRoute({ secondFactor, cookies, knownDevices }),
      refreshRoute({ refresh, cookies }),
      stepUpOptionsRoute({ askForProof }),
      stepUpRoute({ stepUp, cookies }),
      signOutRoute({ endSession, cookies }),
      listSessionsRoute({ sessionQueries, now }),
      endSessionRoute({ endSession }),
      endOtherSessionsRoute({ endOtherSessions }),
    ],
    jobs: [{ name: 'expire-sessions', everyMs: expireEveryMs, run: (signal) => expireSessions(bySystem(), signal) }],
  } satisfies Feature;
}

/** What {@link createSessions} gives. */
export type Sessions = ReturnType<typeof createSessions>;

/** What is done about sessions that end. */
export const sessionHandlers = (
  late: () => {
    readonly ground: Pick<Ground, 'sessionQueries'>;
    readonly mail: { readonly tellOwner: TellOwner };
    readonly sessions: { readonly endSession: EndSession };
  },
): Handler[] => [
  mailOfReuse(() => ({ tellOwner: late().mail.tellOwner })),
  endSessionsOfAccount(() => ({
    sessionQueries: late().ground.sessionQueries,
    endSession: late().sessions.endSession,
  })),
];

/** What is done about the sessions of somebody who is erased. */
export const sessionRemovalSteps = (
  late: () => {
    readonly ground: Pick<Ground, 'events' | 'sessions' | 'sessionQueries'>;
    readonly sessions: { readonly endSession: EndSession };
  },
): RemovalStep[] => {
  const sessionQueries = () => late().ground.sessionQueries;
  return [
    endSessions({ sessionQueries, endSession: () => late().sessions.endSession }),
    forgetSessions({
      ...{ sessions: () => late().ground.sessions, sessionQueries },
      redaction: () => late().ground.events.redaction,
    }),
  ];
};
