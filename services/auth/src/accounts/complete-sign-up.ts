import { faults, newId } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import { DuplicateKey } from '@causeway/events';
import type { RecordedCollection } from '@causeway/events';
import type { ClientSession } from 'mongodb';

import type { KnownDevice } from '../guessing/guess.ts';
import type { GuessGuard } from '../guessing/guess-guard.ts';
import type { JudgePassword } from '../passwords/judge-password.ts';
import type { PasswordHasher } from '../passwords/password-hasher.ts';
import type { ProofDocument } from '../proofs/proof.model.ts';
import { linkInvalid } from '../proofs/proofs.errors.ts';
import type { UseProof } from '../proofs/use-proof.ts';
import type { WithdrawSignUps } from '../proofs/withdraw-proofs.ts';
import type { SignedIn } from '../sessions/complete-sign-in.ts';
import type { SessionTokens } from '../sessions/session-tokens.ts';
import { invalidCredentials } from '../sessions/sessions.errors.ts';
import type { Device, StartSession } from '../sessions/start-session.ts';
import { accountOf, newAccount } from './account.model.ts';
import type { AccountDocument } from './account.model.ts';
import { created } from './accounts.events.ts';

/** What {@link createCompleteSignUp} is given. */
export interface CompleteSignUpDependencies {
  readonly accounts: Pick<RecordedCollection<AccountDocument>, 'create'>;
  readonly passwords: Pick<PasswordHasher, 'hash' | 'matches'>;
  readonly judgePassword: JudgePassword;
  readonly guard: Pick<GuessGuard, 'attempt'>;
  readonly useProof: Pick<UseProof, 'look' | 'redeem'>;
  readonly withdrawSignUps: WithdrawSignUps;
  readonly startSession: StartSession;
  readonly sessionTokens: SessionTokens;
  readonly transaction: <T>(work: (session: ClientSession) => Promise<T>) => Promise<T>;
}

/** A link, and who uses it. */
export interface CompleteSignUpCommand {
  readonly token: string;
  /** The one that the sign-up chose. */
  readonly password?: string | undefined;
  /** In its place: one that the link's reader chooses. */
  readonly newPassword?: string | undefined;
  /** What they want to be called; left out, what the sign-up said, where its password is shown too. */
  readonly name?: string | undefined;
  readonly device: Device;
  /** Aborted when the client has gone. */
  readonly signal?: AbortSignal | undefined;
}

/** With what the account comes to be. */
interface Completion extends CompleteSignUpCommand {
  /** Of its password; absent where it has none. */
  readonly passwordHash?: string | undefined;
  /** What its owner has shown (RFC 8176). */
  readonly amr: 'link' | 'pwd';
}

const passwordUnexpected = {
  pointer: '/password',
  code: 'unexpected',
  message: 'None was chosen at this sign-up: leave it out, or choose one as newPassword.',
};

const passwordTwice = {
  pointer: '/newPassword',
  code: 'unexpected',
  message: 'Send either the password that the sign-up chose, or another one.',
};

/**
 * Makes the account of somebody who has signed up, by the link that was mailed to them, and signs them in: one transaction. The link says who
 * reads the mail, and not who signed up: somebody else may have said the address, and would know the password of the account. So it takes the
 * password that was chosen beside it, where one was; or another, which takes its place: nobody who does not read the mail knows that one. The
 * name of the sign-up goes with its password: without that it may be a stranger's word, and is not taken over. Other links to sign up with the
 * address are void then; of any number that are used at once, one makes the account.
 *
 * @returns the use case; it throws faults `link-invalid`, also where the address is an account's by now, `invalid-credentials`,
 *   `too-many-attempts` and `password-common` (the link stays), and `unavailable` where too many passwords wait
 */
export function createCompleteSignUp(dependencies: CompleteSignUpDependencies) {
  const { accounts, passwords, judgePassword, guard, useProof, withdrawSignUps, startSession, transaction } =
    dependencies;

  const write = async (cause: Cause, proof: ProofDocument, command: Completion, session: ClientSession) => {
    const { emailKey: key, email: address } = proof;
    const { passwordHash, amr, name } = command;
    const _id = newId('usr');
    const own: Cause = { ...cause, principal: { type: 'app_user', id: _id } };
    const used = await useProof.redeem(own, command.token, _id, session);
    const password = passwordHash === undefined ? {} : { passwordHash };
    const state = newAccount({ email: { address, key }, emailVerified: true, roles: ['member'], ...password });
    const account = await accounts.create(own, { _id, state, event: created({ _id, ...state }, name) }, { session });
    await withdrawSignUps(own, { emailKey: key, accountId: _id }, session);
    const start = { account: { _id, ...state }, method: 'sign-up', amr: [amr], device: command.device };
    const started = await startSession(own, start, { session });
    const events = [used, account.event.id, started.event.id];
    return { account: accountOf(account.document), session: started.document, events };
  };

  const make = async (cause: Cause, proof: ProofDocument, command: Completion) => {
    try {
      return await transaction((session) => write(cause, proof, command, session));
    } catch (error) {
      // It is somebody's by now, or kept for them.
      if (error instanceof DuplicateKey && ('emailKey' in error.keyPattern || 'emailKeys' in error.keyPattern))
        throw linkInvalid({ cause: error });
      throw error;
    }
  };

  const makeByPassword = async (cause: Cause, proof: ProofDocument, command: CompleteSignUpCommand) => {
    const { password, device, signal } = command;
    if (password === undefined) throw invalidCredentials({ detail: 'Send the password too that the sign-up chose.' });
    // Whoever has the link is not locked out with those who guess at the address.
    const devices: readonly KnownDevice[] = [{ name: proof._id, budget: 'mailed' }];
    const guess = { emailKey: proof.emailKey, path: 'password', ip: device.ip, devices } as const;
    const look = async () => {
      if (!(await passwords.matches(proof.passwordHash, password, signal))) throw invalidCredentials();
      const name = command.name ?? proof.name;
      return make(cause, proof, { ...command, name, passwordHash: proof.passwordHash, amr: 'pwd' });
    };
    return guard.attempt(guess, look, () => true);
  };

  /** The link is all that is shown, and the account has the password that is chosen now, or none. */
  const makeByLink = async (cause: Cause, proof: ProofDocument, command: CompleteSignUpCommand) => {
    const { newPassword, name = proof.name, signal } = command;
    if (newPassword === undefined) return make(cause, proof, { ...command, amr: 'link' });
    await judgePassword(newPassword, { email: proof.email, name }, signal, '/newPassword');
    const passwordHash = await passwords.hash(newPassword, signal);
    return make(cause, proof, { ...command, passwordHash, amr: 'link' });
  };

  return async (cause: Cause, command: CompleteSignUpCommand): Promise<SignedIn> => {
    const { password, newPassword } = command;
    if (password !== undefined && newPassword !== undefined) throw faults.invalidRequest({ errors: [passwordTwice] });
    // First the link: whoever has none costs no hash.
    const proof = await useProof.look(command.token, ['sign-up']);
    const hasNone = proof.passwordHash === undefined;
    if (hasNone && password !== undefined) throw faults.invalidRequest({ errors: [passwordUnexpected] });
    const by = hasNone || newPassword !== undefined ? makeByLink : makeByPassword;
    const { account, session, events } = await by(cause, proof, command);
    return { status: 'signed-in', account, tokens: await dependencies.sessionTokens(account, session), events };
  };
}

/** Makes the account of somebody who has signed up by mail. */
export type CompleteSignUp = ReturnType<typeof createCompleteSignUp>;
