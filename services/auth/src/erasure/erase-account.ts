import { faults } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import type { Events, RecordedCollection } from '@causeway/events';
import type { ClientSession } from 'mongodb';

import { emailKeysOf } from '../accounts/account.model.ts';
import type { AccountDocument, AccountQueries, Credentials } from '../accounts/account.model.ts';
import { deleted } from '../accounts/accounts.events.ts';
import type { DemandAnotherAdministrator } from '../accounts/administrators.ts';
import { deviceOfToken } from '../guessing/guess.ts';
import type { GuessGuard } from '../guessing/guess-guard.ts';
import type { PasswordHasher } from '../passwords/password-hasher.ts';
import type { ProofDocument } from '../proofs/proof.model.ts';
import { endOf, revokedUntil } from '../sessions/end-session.ts';
import type { Revoke } from '../sessions/end-session.ts';
import type { SessionDocument } from '../sessions/session.model.ts';
import { invalidCredentials } from '../sessions/sessions.errors.ts';
import type { ErasureNotes } from './erased-addresses.ts';

/** What {@link createEraseAccount} is given. */
export interface EraseAccountDependencies {
  readonly events: Pick<Events, 'db' | 'transaction'>;
  readonly accounts: Pick<RecordedCollection<AccountDocument>, 'delete' | 'name' | 'native'>;
  readonly accountQueries: Pick<AccountQueries, 'credentialsOf'>;
  readonly erasureNotes: Pick<ErasureNotes, 'keep'>;
  readonly proofs: Pick<RecordedCollection<ProofDocument>, 'native'>;
  readonly sessions: Pick<RecordedCollection<SessionDocument>, 'native' | 'update'>;
  readonly passwords: Pick<PasswordHasher, 'matches'>;
  readonly guard: Pick<GuessGuard, 'attempt'>;
  readonly demandAnotherAdministrator: DemandAnotherAdministrator;
  readonly revoke: Revoke;
  readonly now: () => Date;
}

/** Who wants to be erased, and proves once more who they are. */
export interface EraseAccountCommand {
  readonly accountId: string;
  /** Whoever has none has proved it lately, by something else; whoever has a second factor, with that too. */
  readonly password?: string | undefined;
  /** Sees to that. */
  readonly demandRecent: () => Promise<void>;
  /** Of the token, which shows that somebody has signed in from here. */
  readonly sessionId: string;
  /** How surely that session knows them. */
  readonly acr?: string | undefined;
  /** The caller's address. */
  readonly ip?: string | undefined;
  /** Aborted when the client has gone. */
  readonly signal?: AbortSignal;
}

/** An erasure that has begun. */
export interface BegunErasure {
  /** Of the event that all of it follows from: the account is deleted. */
  readonly eventId: string;
  /** Ids of all events that this call has recorded. */
  readonly events: readonly string[];
}

const passwordRequired = () =>
  faults.invalidRequest({ errors: [{ pointer: '/password', code: 'required', message: 'This is required.' }] });

/** Links to verify an address that are looked at: all that can be asked for in some days. */
const mostAsked = 1_000;

/** Sessions that end with the account, in its transaction; more are ended at once by what follows from it. */
const sessionsAtOnce = 100;

/**
 * Deletes an account and ends its sessions: one transaction, from whose event the erasure in all services follows. Of two calls at once one
 * does it, and both tell of the same.
 *
 * @returns the use case; it throws faults `invalid-credentials`, `too-many-attempts`, `last-administrator`, `insufficient-authentication`, `unauthenticated` where the account is gone, and
 *   `unavailable` where too many passwords wait
 */
export function createEraseAccount(dependencies: EraseAccountDependencies) {
  const { events, accounts, accountQueries, erasureNotes, proofs, sessions, passwords, guard } = dependencies;
  const { demandAnotherAdministrator, revoke, now } = dependencies;

  const endSessions = async (cause: Cause, accountId: string, at: Date, session: ClientSession) => {
    const live = sessions.native.find({ accountId, status: 'live' }, { session, projection: { _id: 1 } });
    const ended: { readonly sessionId: string; readonly eventId: string }[] = [];
    for (const { _id } of await live.limit(sessionsAtOnce).toArray()) {
      const write = await sessions.update(cause, _id, (current) => endOf(current, 'revoked', at), { session });
      if (write?.event !== undefined) ended.push({ sessionId: _id, eventId: write.event.id });
    }
    return ended;
  };

  /** Addresses that nobody had verified are not kept with the account when it has another. */
  const formerOf = async (accountId: string, session: ClientSession): Promise<string[]> => {
    const asked = { accountId, kind: 'verify-email' } as const;
    const found = proofs.native.find(asked, { session, projection: { emailKey: 1 } });
    return (await found.limit(mostAsked).toArray()).map(({ emailKey }) => emailKey);
  };

  const erase = (cause: Cause, accountId: string, at: Date) =>
    events.transaction(async (session) => {
      const projection = { roles: 1, emailKey: 1, emailKeys: 1 } as const;
      const account = await accounts.native.findOne({ _id: accountId }, { session, projection });
      if (account === null) return undefined;
      if (account.roles.includes('admin')) await demandAnotherAdministrator(accountId, session);
      const write = await accounts.delete(cause, accountId, () => deleted(accountId), { session });
      if (write === undefined) return undefined;
      const emailKeys = [...new Set([...emailKeysOf(account), ...(await formerOf(accountId, session))])];
      await erasureNotes.keep(accountId, { emailKeys, erasedAt: at }, session);
      return { eventId: write.event.id, ended: await endSessions(cause, accountId, at, session) };
    });

  /** Another call was faster. */
  const begun = async (accountId: string): Promise<BegunErasure> => {
    const tombstone = await events.db
      .collection<{ _id: string; event: string }>('tombstones')
      .findOne({ _id: `${accounts.name}/${accountId}` }, { projection: { event: 1 } });
    if (tombstone === null) throw faults.unauthenticated({ message: 'the account of this token is gone' });
    return { eventId: tombstone.event, events: [] };
  };

  const demandPassword = async (account: Credentials, command: EraseAccountCommand): Promise<void> => {
    const { password, sessionId: sid, acr, ip, signal } = command;
    if (account.passwordHash === undefined) return command.demandRecent();
    if (password === undefined) throw passwordRequired();
    const guess = { emailKey: account.emailKey, path: 'password', ip, devices: [deviceOfToken({ sid, acr })] } as const;
    await guard.attempt(
      guess,
      async () => {
        if (!(await passwords.matches(account.passwordHash, password, signal))) throw invalidCredentials();
      },
      // It lets nobody in: what was counted stays.
      () => false,
    );
    // A session from before it was set up has shown one proof, as has this password.
    if (account.hasSecondFactor) await command.demandRecent();
  };

  return async (cause: Cause, command: EraseAccountCommand): Promise<BegunErasure> => {
    const { accountId } = command;
    const account = await accountQueries.credentialsOf(accountId);
    // The token outlives the account by a second.
    if (account === undefined) throw faults.unauthenticated({ message: 'the account of this token is gone' });
    await demandPassword(account, command);
    const at = now();
    const erased = await erase(cause, accountId, at);
    if (erased === undefined) return begun(accountId);
    const { eventId, ended } = erased;
    await Promise.all(ended.map(({ sessionId }) => revoke(sessionId, revokedUntil(at))));
    return { eventId, events: [eventId, ...ended.map((each) => each.eventId)] };
  };
}
