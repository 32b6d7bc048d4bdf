import type { Cause } from '@causeway/contracts';
import type { ClientSession } from 'mongodb';

import type { Account, AccountQueries } from '../accounts/account.model.ts';
import type { FactorQueries } from '../factors/factor.model.ts';
import { secondMethodsOf } from '../factors/second-methods.ts';
import type { Tickets } from '../tickets/tickets.ts';
import { assuranceOf } from './authentication.ts';
import type { EndSession } from './end-session.ts';
import { whyOver } from './session-admission.ts';
import type { SessionTokens, Tokens } from './session-tokens.ts';
import type { SessionDocument } from './session.model.ts';
import { accountDisabled, invalidCredentials } from './sessions.errors.ts';
import type { Device, StartSession } from './start-session.ts';

/** Somebody is in. */
export interface SignedIn {
  readonly status: 'signed-in';
  readonly account: Account;
  readonly tokens: Tokens;
  /** Ids of the events that were recorded. */
  readonly events: readonly string[];
}

/** One proof was right, and the account asks for another. */
export interface MfaRequired {
  readonly status: 'mfa-required';
  /** Opens the second step, and nothing else. */
  readonly mfaToken: string;
  /** What the second proof may be. */
  readonly methods: readonly string[];
  readonly events: readonly string[];
}

/** Somebody who has given a proof. */
export interface Proven {
  /** As it was when the proof was looked at. */
  readonly account: Account;
  /** `password`, … */
  readonly method: string;
  readonly amr: readonly string[];
  readonly device: Device;
}

/** A session has begun, and has no tokens yet. */
export interface BegunSignIn {
  readonly status: 'begun';
  readonly document: SessionDocument;
  readonly events: readonly string[];
}

/** What {@link createBeginSignIn} is given. */
export interface BeginSignInDependencies {
  readonly factorQueries: Pick<FactorQueries, 'activeOf'>;
  readonly tickets: Pick<Tickets, 'issue'>;
  readonly startSession: StartSession;
  readonly demandVerified: DemandVerified;
}

/**
 * Demands that an address has been verified, where the settings do.
 *
 * @throws fault `email-unverified`, with the link on its way
 */
export type DemandVerified = (cause: Cause, account: Account) => Promise<void>;

/**
 * Begins the session of somebody who has given a proof, or asks for a second one; alone, or in the transaction that uses the proof up.
 * What has begun is still to be admitted.
 *
 * @throws faults `account-disabled`, `email-unverified`
 */
export type BeginSignIn = (cause: Cause, proven: Proven, session?: ClientSession) => Promise<BegunSignIn | MfaRequired>;

/** @returns the use case */
export const createBeginSignIn =
  ({ factorQueries, tickets, startSession, demandVerified }: BeginSignInDependencies): BeginSignIn =>
  async (cause, { account, method, amr, device }, session) => {
    // Told to nobody but its owner.
    if (account.disabledAt !== undefined) throw accountDisabled();
    await demandVerified(cause, account);
    const { _id: accountId, accessVersion: accountVersion, hasSecondFactor } = account;
    if (hasSecondFactor && assuranceOf(amr) === 'aal1') {
      const methods = secondMethodsOf(await factorQueries.activeOf(accountId));
      const mfaToken = await tickets.issue({ purpose: 'mfa', accountId, accountVersion, method, amr }, session);
      return { status: 'mfa-required', mfaToken, methods, events: [] };
    }
    const own: Cause = { ...cause, principal: { type: 'app_user', id: accountId } };
    const options = session === undefined ? {} : { session };
    const { document, event } = await startSession(own, { account, method, amr, device }, options);
    return { status: 'begun', document, events: [event.id] };
  };

/** What {@link createCompleteSignIn} is given. */
export interface CompleteSignInDependencies {
  readonly beginSignIn: BeginSignIn;
  readonly admit: Admit;
}

/**
 * Lets somebody in, or asks for a second proof: the one end of every way to sign in.
 *
 * @throws faults `account-disabled`, `email-unverified`; `invalid-credentials` where the account has changed meanwhile
 */
export type CompleteSignIn = (cause: Cause, proven: Proven) => Promise<SignedIn | MfaRequired>;

/** @returns the use case */
export const createCompleteSignIn =
  ({ beginSignIn, admit }: CompleteSignInDependencies): CompleteSignIn =>
  async (cause, proven) => {
    const begun = await beginSignIn(cause, proven);
    if (begun.status === 'mfa-required') return begun;
    const own: Cause = { ...cause, principal: { type: 'app_user', id: proven.account._id } };
    return admit(own, begun.document, begun.events);
  };

/** What {@link createAdmit} is given. */
export interface AdmitDependencies {
  readonly accounts: Pick<AccountQueries, 'byId'>;
  readonly endSession: EndSession;
  readonly sessionTokens: SessionTokens;
}

/**
 * Gives a session that has just begun its tokens, unless its account has changed meanwhile.
 *
 * @throws fault `invalid-credentials`
 */
export type Admit = (cause: Cause, session: SessionDocument, events: readonly string[]) => Promise<SignedIn>;

/** @returns the use case */
export const createAdmit =
  ({ accounts, endSession, sessionTokens }: AdmitDependencies): Admit =>
  async (cause, session, events) => {
    // An erasure that commits after this read finds the session; one that was before is seen by it, as is a change of the password.
    const account = await accounts.byId(session.accountId);
    const reason = account === undefined ? 'revoked' : whyOver(account, session);
    // A second factor that was confirmed meanwhile is asked for, too.
    const isHalf = account?.hasSecondFactor === true && session.acr !== 'aal2';
    if (account === undefined || reason !== undefined || isHalf) {
      await endSession(cause, { sessionId: session._id, reason: reason ?? 'revoked' });
      throw invalidCredentials();
    }
    // As it is now: rights that were lost while the proof was looked at are in no token.
    return { status: 'signed-in', account, tokens: await sessionTokens(account, session), events };
  };
