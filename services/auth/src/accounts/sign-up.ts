import { faults, newId } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import { DuplicateKey } from '@causeway/events';
import type { Idempotency, IdempotentRequest, RecordedCollection } from '@causeway/events';
import type { ClientSession } from 'mongodb';

import type { JudgePassword } from '../passwords/judge-password.ts';
import type { PasswordHasher } from '../passwords/password-hasher.ts';
import type { AdmitAsker } from '../proofs/ask-for-link.ts';
import type { SessionTokens } from '../sessions/session-tokens.ts';
import type { SignedIn } from '../sessions/complete-sign-in.ts';
import type { Device, StartSession } from '../sessions/start-session.ts';
import { accountOf, newAccount } from './account.model.ts';
import type { AccountDocument, AccountQueries } from './account.model.ts';
import { emailTaken } from './accounts.errors.ts';
import { created } from './accounts.events.ts';
import type { EmailAddress } from './email-address.ts';

/** What {@link createSignUp} is given. */
export interface SignUpDependencies<Answer> {
  readonly accounts: Pick<RecordedCollection<AccountDocument>, 'create'>;
  readonly passwords: Pick<PasswordHasher, 'hash'>;
  readonly judgePassword: JudgePassword;
  /** A link is mailed to whichever address somebody signs up with. */
  readonly admitAsker: AdmitAsker;
  readonly startSession: StartSession;
  readonly sessionTokens: SessionTokens;
  readonly idempotency: Idempotency;
  readonly transaction: <T>(work: (session: ClientSession) => Promise<T>) => Promise<T>;
  readonly accountQueries: Pick<AccountQueries, 'byEmail'>;
  /** What a repeated call gets again. */
  readonly answer: (signedIn: SignedIn) => Answer;
}

/** What somebody signs up with. */
export interface SignUpCommand {
  readonly email: EmailAddress;
  /** Absent where none is chosen. */
  readonly password?: string | undefined;
  readonly name?: string | undefined;
  readonly device: Device;
  /** The call, where it may be repeated. */
  readonly request?: IdempotentRequest | undefined;
  /** Aborted when the client has gone. */
  readonly signal?: AbortSignal;
}

const passwordRequired = {
  pointer: '/password',
  code: 'required',
  message:
    'Is required: accounts are made without one only where addresses are verified first (EMAIL_VERIFICATION=required).',
};

/**
 * Makes an account and signs its owner in: one transaction, so that there is neither an account without the tokens that were
 * promised nor a session of nobody.
 *
 * @returns the use case; it throws faults `email-taken`, `password-common` and `too-many-links`, those of {@link Idempotency.run}, and `unavailable` where too many sign up
 *   at once
 */
export function createSignUp<Answer>(dependencies: SignUpDependencies<Answer>) {
  const { accounts, accountQueries, passwords, judgePassword, admitAsker, startSession, sessionTokens } = dependencies;
  const { idempotency, transaction, answer } = dependencies;

  const write = async (cause: Cause, passwordHash: string, command: SignUpCommand, session: ClientSession) => {
    const _id = newId('usr');
    const { email, name, device } = command;
    const own: Cause = { ...cause, principal: { type: 'app_user', id: _id } };
    const state = newAccount({ email, emailVerified: false, roles: ['member'], passwordHash });
    const account = await accounts.create(own, { _id, state, event: created({ _id, ...state }, name) }, { session });
    const start = { account: { _id, ...state }, method: 'sign-up', amr: ['pwd'], device };
    const started = await startSession(own, start, { session });
    return answer({
      status: 'signed-in',
      account: accountOf(account.document),
      tokens: await sessionTokens(state, started.document),
      events: [account.event.id, started.event.id],
    });
  };

  /** What was answered lets somebody in: it is nothing any more that a password alone would not. */
  const repeat = async (given: Answer, { email }: SignUpCommand) => {
    const account = await accountQueries.byEmail(email.key);
    if (account?.hasSecondFactor === true || account?.disabledAt !== undefined) throw emailTaken();
    return { answer: given, replayed: true };
  };

  return async (
    cause: Cause,
    command: SignUpCommand,
  ): Promise<{ readonly answer: Answer; readonly replayed: boolean }> => {
    const { request, email, name, password, device, signal } = command;
    const earlier = request === undefined ? undefined : await idempotency.find<Answer>(request);
    if (earlier !== undefined) return repeat(earlier, command);
    if (password === undefined) throw faults.invalidRequest({ errors: [passwordRequired] });
    await admitAsker(device.ip);
    await judgePassword(password, { email: email.address, name }, signal);
    const passwordHash = await passwords.hash(password, signal);
    const effect = (session: ClientSession): Promise<Answer> => write(cause, passwordHash, command, session);
    try {
      if (request === undefined) return { answer: await transaction(effect), replayed: false };
      const { answer: given, replayed } = await idempotency.run(request, effect);
      return replayed ? await repeat(given, command) : { answer: given, replayed };
    } catch (error) {
      if (error instanceof DuplicateKey && ('emailKey' in error.keyPattern || 'emailKeys' in error.keyPattern))
        throw emailTaken({ cause: error });
      throw error;
    }
  };
}
