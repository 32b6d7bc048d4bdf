import { faults } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import type { RecordedCollection } from '@causeway/events';
import { faultOfAuthentication } from '@causeway/service';
import type { ClientSession } from 'mongodb';

import type { AccountQueries, Credentials } from '../accounts/account.model.ts';
import type { OpenSecondProof } from '../factors/open-second-proof.ts';
import type { SecondProof, TakenProof, TakeProof } from '../factors/second-proof.ts';
import { deviceOfToken } from '../guessing/guess.ts';
import type { GuessGuard } from '../guessing/guess-guard.ts';
import type { PasswordHasher } from '../passwords/password-hasher.ts';
import { linkInvalid } from '../proofs/proofs.errors.ts';
import type { UseProof } from '../proofs/use-proof.ts';
import type { RefreshTokens } from '../tokens/refresh-token.ts';
import { assuranceOf, authenticationOf, provenOnceMore } from './authentication.ts';
import type { Admit } from './complete-sign-in.ts';
import { rotated } from './rotated.ts';
import type { SessionDocument } from './session.model.ts';
import { isLive } from './session-rules.ts';
import type { SessionLifetimes } from './session-rules.ts';
import type { Tokens } from './session-tokens.ts';
import { reauthenticated } from './sessions.events.ts';
import { invalidCredentials } from './sessions.errors.ts';

/** What {@link createStepUp} is given. */
export interface StepUpDependencies {
  readonly guard: Pick<GuessGuard, 'attempt'>;
  readonly accounts: Pick<AccountQueries, 'credentialsOf'>;
  readonly passwords: Pick<PasswordHasher, 'matches'>;
  readonly openSecondProof: OpenSecondProof;
  readonly useProof: Pick<UseProof, 'peek' | 'use'>;
  readonly sessions: Pick<RecordedCollection<SessionDocument>, 'update'>;
  readonly refreshTokens: RefreshTokens;
  readonly lifetimes: SessionLifetimes;
  readonly admit: Admit;
  readonly transaction: <T>(work: (session: ClientSession) => Promise<T>) => Promise<T>;
  readonly now: () => Date;
}

/** What stands for its owner by itself, where there is no second factor: the password, or a link that was mailed to sign in by. */
export type FirstProof =
  { readonly kind: 'password'; readonly password: string } | { readonly kind: 'link'; readonly token: string };

/** What somebody who is signed in proves once more. */
export type StepUpProof = SecondProof | FirstProof;

/** Who proves it, and with what. */
export interface StepUpCommand {
  readonly accountId: string;
  readonly sessionId: string;
  /** How surely the session has known them until now, by their token. */
  readonly acr?: string | undefined;
  readonly proof: StepUpProof;
  /** The caller's address. */
  readonly ip?: string | undefined;
  /** Aborted when the client has gone. */
  readonly signal?: AbortSignal;
}

/** A session that goes on, with new tokens. */
export interface SteppedUp {
  readonly tokens: Tokens;
  /** Ids of the events that were recorded. */
  readonly events: readonly string[];
}

/** The token outlives the account, and the session, by a second. */
const over = () => faults.unauthenticated({ message: 'the session of this token is over' });

/** Whoever has one proof alone comes no further by giving it twice. */
const demandSecond = ({ hasSecondFactor }: Credentials, { kind }: StepUpProof): void => {
  if (!hasSecondFactor || (kind !== 'password' && kind !== 'link')) return;
  const fault = faultOfAuthentication({}, { maxAgeMs: 0, acr: 'aal2' }, { nowMs: Date.now(), hasSecondFactor });
  if (fault !== undefined) throw fault;
};

/** Nobody can guess a password that there is not. */
const demandPassword = ({ passwordHash }: Credentials, { kind }: StepUpProof): void => {
  if (kind !== 'password' || passwordHash !== undefined) return;
  const detail =
    'The account has no password. Have a link mailed to its address (`POST /v1/auth/sign-in/link`), and send that.';
  throw invalidCredentials({ detail });
};

/**
 * Takes a proof of somebody who is signed in: their session has proved it as of now, and goes on with a new pair of tokens that say so. The
 * code is taken and the session moved in one transaction.
 *
 * @returns the use case; it throws faults `invalid-credentials`, `invalid-code`, `passkey-invalid`, `link-invalid`, `insufficient-authentication` for a password
 *   or a link where there is a second factor, `too-many-attempts` before anything is looked at, `unauthenticated` where the session is over, and `unavailable` where too many passwords wait
 */
export const createStepUp = (dependencies: StepUpDependencies) => {
  const { guard, accounts, passwords, openSecondProof, useProof, sessions, refreshTokens, lifetimes, admit } =
    dependencies;
  const { transaction, now } = dependencies;

  /** Whoever reads the mail of an address that nobody has verified is not known to have the account. */
  const openLink = async (
    { _id: accountId, emailKey, emailVerified }: Credentials,
    token: string,
  ): Promise<TakeProof> => {
    const proof = await useProof.peek(token, 'sign-in-link');
    if (!emailVerified || proof.accountId !== accountId || proof.emailKey !== emailKey) throw linkInvalid();
    return async (cause, session) => {
      const { event } = await useProof.use(cause, token, 'sign-in-link', session);
      return { amr: ['link'], event };
    };
  };

  const open = async (cause: Cause, account: Credentials, { proof, signal }: StepUpCommand) => {
    if (proof.kind === 'link') return openLink(account, proof.token);
    if (proof.kind !== 'password') return openSecondProof(cause, account._id, proof);
    // Before the transaction: it takes long.
    if (!(await passwords.matches(account.passwordHash, proof.password, signal))) throw invalidCredentials();
    return (): Promise<Partial<TakenProof> & Pick<TakenProof, 'amr'>> => Promise.resolve({ amr: ['pwd'] });
  };

  const move = (session: SessionDocument, accountId: string, proof: readonly string[]) => {
    const at = now();
    if (session.accountId !== accountId || !isLive(session, at)) throw over();
    const amr = provenOnceMore(authenticationOf(session).amr, proof);
    const proven = { amr, acr: assuranceOf(amr), authTime: at };
    const state = { ...rotated(session, at, { refreshTokens, lifetimes }), ...proven };
    return { state, event: reauthenticated({ ...session, ...proven }) };
  };

  const prove = async (cause: Cause, account: Credentials, command: StepUpCommand): Promise<SteppedUp> => {
    const { accountId, sessionId } = command;
    const take = await open(cause, account, command);
    const { document, events } = await transaction(async (session) => {
      const { amr, event } = await take(cause, session);
      const write = await sessions.update(cause, sessionId, (current) => move(current, accountId, amr), { session });
      if (write === undefined) throw over();
      return { document: write.document, events: [event, write.event?.id].filter((id) => id !== undefined) };
    });
    // What has ended sessions meanwhile has ended this one.
    return admit(cause, document, events);
  };

  return async (cause: Cause, command: StepUpCommand): Promise<SteppedUp> => {
    const { accountId, sessionId: sid, acr, proof, ip } = command;
    const account = await accounts.credentialsOf(accountId);
    if (account === undefined) throw over();
    demandSecond(account, proof);
    demandPassword(account, proof);
    // Nobody guesses these.
    if (proof.kind === 'passkey' || proof.kind === 'link') return prove(cause, account, command);
    const devices = [deviceOfToken({ sid, acr })];
    const guess = { emailKey: account.emailKey, path: proof.kind, ip, devices } as const;
    return guard.attempt(
      guess,
      () => prove(cause, account, command),
      // A code alone does not say that its owner knows the password, which others may be guessing.
      () => (proof.kind === 'password' ? true : 'once-more'),
    );
  };
};
