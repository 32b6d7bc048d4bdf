import { newEventId } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import type { Idempotency } from '@causeway/events';
import type { ClientSession } from 'mongodb';

import type { JudgePassword } from '../passwords/judge-password.ts';
import type { PasswordHasher } from '../passwords/password-hasher.ts';
import type { AdmitAsker } from '../proofs/ask-for-link.ts';
import type { RequestProof } from '../proofs/request-proof.ts';
import type { SignUpCommand } from './sign-up.ts';

/** What {@link createSignUpByMail} is given. */
export interface SignUpByMailDependencies<Answer> {
  readonly passwords: Pick<PasswordHasher, 'hash'>;
  readonly judgePassword: JudgePassword;
  readonly admitAsker: AdmitAsker;
  readonly requestProof: RequestProof;
  readonly idempotency: Idempotency;
  readonly transaction: <T>(work: (session: ClientSession) => Promise<T>) => Promise<T>;
  /** What a repeated call gets again. */
  readonly answer: (events: readonly string[]) => Answer;
}

/**
 * Has a link mailed that makes an account. Whether anybody has the address is not looked at: the password is hashed, a place is counted and the
 * link made in any case, and one mail goes to the address whatever comes of it. The hash waits in the link's row; there is no account
 * until its reader uses it.
 *
 * @returns the use case; it throws faults `password-common` and `too-many-links`, those of {@link Idempotency.run}, and `unavailable` where too many sign up at once
 */
export function createSignUpByMail<Answer>(dependencies: SignUpByMailDependencies<Answer>) {
  const { passwords, judgePassword, admitAsker, requestProof, idempotency, transaction, answer } = dependencies;
  return async (
    cause: Cause,
    { email, name, password, device, request: given, signal }: SignUpCommand,
  ): Promise<{ readonly answer: Answer; readonly replayed: boolean }> => {
    // Apart from those of calls that signed in at once, before the settings were others.
    const request = given === undefined ? undefined : { ...given, route: `${given.route} by mail` };
    const earlier = request === undefined ? undefined : await idempotency.find<Answer>(request);
    if (earlier !== undefined) return { answer: earlier, replayed: true };
    await admitAsker(device.ip);
    if (password !== undefined) await judgePassword(password, { email: email.address, name }, signal);
    const passwordHash = password === undefined ? undefined : await passwords.hash(password, signal);
    const holds = { ...(passwordHash === undefined ? {} : { passwordHash }), ...(name === undefined ? {} : { name }) };
    // A transaction that is run again asks for the same link.
    const by = newEventId();
    const effect = async (session: ClientSession): Promise<Answer> =>
      answer(await requestProof(cause, { kind: 'sign-up', email, holds, by }, session));
    return request === undefined
      ? { answer: await transaction(effect), replayed: false }
      : idempotency.run(request, effect);
  };
}
