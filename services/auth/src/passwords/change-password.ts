import { faults } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import { stateOf } from '@causeway/events';
import type { Events, RecordedCollection } from '@causeway/events';
import { faultOfAuthentication } from '@causeway/service';
import type { AccessClaims } from '@causeway/service';

import { raiseAccessVersion } from '../accounts/access-version.ts';
import { accountOf } from '../accounts/account.model.ts';
import type { AccountDocument, AccountQueries, Credentials } from '../accounts/account.model.ts';
import { updated } from '../accounts/accounts.events.ts';
import type { DeviceTokens } from '../guessing/device-token.ts';
import { deviceOfToken } from '../guessing/guess.ts';
import type { GuessGuard } from '../guessing/guess-guard.ts';
import type { KnownDevices } from '../guessing/known-devices.ts';
import { linksOfCredentials } from '../proofs/proof-kinds.ts';
import type { WithdrawProofs } from '../proofs/withdraw-proofs.ts';
import type { TellEnding } from '../revocations/tell-ending.ts';
import type { KeepSession } from '../sessions/keep-session.ts';
import type { SessionTokens, Tokens } from '../sessions/session-tokens.ts';
import { invalidCredentials } from '../sessions/sessions.errors.ts';
import type { JudgePassword } from './judge-password.ts';
import type { PasswordHasher } from './password-hasher.ts';

/** What {@link createChangePassword} is given. */
export interface ChangePasswordDependencies {
  readonly accounts: Pick<RecordedCollection<AccountDocument>, 'update'>;
  readonly accountQueries: Pick<AccountQueries, 'credentialsOf'>;
  readonly passwords: Pick<PasswordHasher, 'hash' | 'matches'>;
  readonly judgePassword: JudgePassword;
  readonly guard: Pick<GuessGuard, 'attempt'>;
  readonly keepSession: KeepSession;
  readonly sessionTokens: SessionTokens;
  readonly withdrawProofs: WithdrawProofs;
  readonly knownDevices: Pick<KnownDevices, 'forget'>;
  readonly deviceTokens: Pick<DeviceTokens, 'issue'>;
  readonly tellEnding: TellEnding;
  readonly transaction: Events['transaction'];
  /** How long ago whoever has no password yet may have proved who they are. */
  readonly maxAgeMs: number;
  readonly now: () => Date;
}

/** Who changes their password, in which session. */
export interface ChangePasswordCommand {
  /** Of their token. */
  readonly caller: Pick<AccessClaims, 'sub' | 'sid' | 'acr' | 'authTime'>;
  /** Absent where the account has none. */
  readonly currentPassword?: string | undefined;
  readonly newPassword: string;
  /** The caller's address. */
  readonly ip?: string | undefined;
  /** Aborted when the client has gone. */
  readonly signal?: AbortSignal;
}

/** What came of it. */
export interface ChangedPassword {
  /** Of the session that stays. */
  readonly tokens: Tokens;
  /** In place of the one of before: others are strangers from then on. Undefined where nobody has verified the address. */
  readonly deviceToken: string | undefined;
  /** Ids of the events that were recorded. */
  readonly events: readonly string[];
}

/**
 * Changes the password of somebody who is signed in, and knows the one that they have; who has none yet has proved lately who they are; and
 * who has a second factor has used it for this session. All sessions end in the write that has the password, but for the one that asks,
 * which gets its next pair of tokens; and no other device is known any more, since somebody may have signed in by the password. Of two changes at once by the same password one is made.
 *
 * @returns the use case; it throws faults `invalid-credentials`, `insufficient-authentication`, `password-common`, `too-many-attempts`,
 *   `unauthenticated` where the account or the session is gone, and `unavailable` where too many passwords wait
 */
export const createChangePassword = (dependencies: ChangePasswordDependencies) => {
  const { accountQueries, passwords, judgePassword, guard, transaction } = dependencies;

  const demandProof = async (account: Credentials, command: ChangePasswordCommand): Promise<void> => {
    const { caller, currentPassword, ip, signal } = command;
    const { passwordHash, hasSecondFactor, emailKey } = account;
    const nowMs = dependencies.now().getTime();
    // A password that is typed now is as recent as can be.
    const authTime = passwordHash === undefined ? caller.authTime : Math.floor(nowMs / 1000);
    const rule = { maxAgeMs: dependencies.maxAgeMs, acr: 'enrolled' } as const;
    const claims = { ...caller, ...(authTime !== undefined && { authTime }) };
    const fault = faultOfAuthentication(claims, rule, { nowMs, hasSecondFactor });
    if (fault !== undefined) throw fault;
    if (passwordHash === undefined) return;
    if (currentPassword === undefined) throw invalidCredentials({ detail: 'Send the current password too.' });
    const guess = { emailKey, path: 'password', ip, devices: [deviceOfToken(caller)] } as const;
    const look = async (): Promise<void> => {
      if (!(await passwords.matches(passwordHash, currentPassword, signal))) throw invalidCredentials();
    };
    // It lets nobody in: what was counted stays.
    await guard.attempt(guess, look, () => false);
  };

  const write = (cause: Cause, before: Credentials, passwordHash: string, sessionId: string) => {
    const { accounts, keepSession, withdrawProofs, now } = dependencies;
    const { _id: accountId } = before;
    return transaction(async (session) => {
      const at = now();
      let asItWas = before;
      const change = await accounts.update(
        cause,
        accountId,
        (current) => {
          asItWas = accountOf(current);
          // Somebody has changed it meanwhile: what was shown to be known is not the password any more.
          if (current.passwordHash !== before.passwordHash) throw invalidCredentials();
          const raised = raiseAccessVersion(current, 'sessions', at);
          const state = { ...stateOf(current), passwordHash, passwordChangedAt: at, ...raised };
          return { state, event: updated(current, ['password'], raised) };
        },
        { session },
      );
      if (change?.event === undefined) throw faults.unauthenticated({ message: 'the account of this token is gone' });
      const account = accountOf(change.document);
      const kept = { sessionId, account: asItWas, accountVersion: account.accessVersion };
      const stays = await keepSession(cause, kept, session);
      await withdrawProofs(cause, { accountId, kinds: linksOfCredentials, reason: 'password-changed' }, session);
      await dependencies.knownDevices.forget(account.emailKey, session);
      return { account, stays, event: change.event };
    });
  };

  return async (cause: Cause, command: ChangePasswordCommand): Promise<ChangedPassword> => {
    const { caller, newPassword, signal } = command;
    const before = await accountQueries.credentialsOf(caller.sub);
    // The token outlives the account by a second.
    if (before === undefined) throw faults.unauthenticated({ message: 'the account of this token is gone' });
    await demandProof(before, command);
    await judgePassword(newPassword, { email: before.email }, signal, '/newPassword');
    const passwordHash = await passwords.hash(newPassword, signal);
    const { account, stays, event } = await write(cause, before, passwordHash, caller.sid);
    await dependencies.tellEnding(caller.sub, event);
    const { emailKey, emailVerified } = account;
    const { budget } = deviceOfToken(caller);
    return {
      deviceToken: emailVerified ? dependencies.deviceTokens.issue(emailKey, budget) : undefined,
      tokens: await dependencies.sessionTokens(account, stays.document),
      events: [event.id, stays.event],
    };
  };
};

/** Changes passwords. */
export type ChangePassword = ReturnType<typeof createChangePassword>;
