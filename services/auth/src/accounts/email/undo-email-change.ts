import type { Cause, EventEnvelope } from '@causeway/contracts';
import { stateOf } from '@causeway/events';
import type { Events, RecordedCollection } from '@causeway/events';
import type { ClientSession } from 'mongodb';

import type { FactorDocument } from '../../factors/factor.model.ts';
import { removed } from '../../factors/factors.events.ts';
import type { GuessGuard } from '../../guessing/guess-guard.ts';
import type { KnownDevices } from '../../guessing/known-devices.ts';
import { everyLinkButUndo } from '../../proofs/proof-kinds.ts';
import { linkInvalid } from '../../proofs/proofs.errors.ts';
import type { OpenProof } from '../../proofs/open-proof.ts';
import type { OwnedProof, UseProof } from '../../proofs/use-proof.ts';
import type { WithdrawProofs } from '../../proofs/withdraw-proofs.ts';
import type { TellEnding } from '../../revocations/tell-ending.ts';
import type { Tickets } from '../../tickets/tickets.ts';
import { raiseAccessVersion } from '../access-version.ts';
import { emailKeysOf } from '../account.model.ts';
import type { AccountDocument } from '../account.model.ts';
import { updated } from '../accounts.events.ts';
import type { Reservations } from './reservations.ts';

/** What {@link createUndoEmailChange} is given. */
export interface UndoEmailChangeDependencies {
  readonly accounts: Pick<RecordedCollection<AccountDocument>, 'update'>;
  readonly factors: Pick<RecordedCollection<FactorDocument>, 'delete' | 'native'>;
  readonly useProof: UseProof;
  readonly openProof: OpenProof;
  readonly withdrawProofs: WithdrawProofs;
  readonly reservations: Pick<Reservations, 'keptOf'>;
  readonly tickets: Pick<Tickets, 'forgetOf'>;
  readonly guard: Pick<GuessGuard, 'clear'>;
  readonly knownDevices: Pick<KnownDevices, 'forget'>;
  readonly tellEnding: TellEnding;
  readonly transaction: Events['transaction'];
  /** For how long a change can be undone, and for how long before one second factors are distrusted with it. */
  readonly undoMs: number;
  readonly now: () => Date;
}

/**
 * Gives an account back the address that it had, by the link that was mailed to that when it was changed: whoever changed it may have stolen the
 * account. So all sessions end, the password opens nothing any more, second factors that were set up since the change are gone, and
 * those of a while before it, since a thief adds one first; other links too, and a link to set a password is mailed to the address. Changes that came later are undone with it; earlier ones can still be.
 *
 * @returns the use case, which gives the ids of the events; it throws fault `link-invalid`
 */
export function createUndoEmailChange(dependencies: UndoEmailChangeDependencies) {
  const { accounts, factors, useProof, openProof, withdrawProofs, reservations, tickets, transaction, now } =
    dependencies;

  /** Takes second factors away that were set up since, or shortly before; gives the ids of the events, and whether there is one left. */
  const forgetFactors = async (cause: Cause, { accountId, createdAt }: OwnedProof, session: ClientSession) => {
    const all = await factors.native.find({ accountId }, { session }).toArray();
    const trustedUntilMs = createdAt.getTime() - dependencies.undoMs;
    // New recovery codes stand in the row of the old ones.
    const isOld = (factor: FactorDocument): boolean => (factor.codesAt ?? factor.createdAt).getTime() < trustedUntilMs;
    const hasSecondFactor = all.some(
      (each) => isOld(each) && each.status === 'active' && each.kind !== 'recovery-codes',
    );
    const events: string[] = [];
    for (const { _id } of all.filter((each) => !hasSecondFactor || !isOld(each))) {
      const write = await factors.delete(cause, _id, (factor) => removed(factor, 'reset'), { session });
      if (write !== undefined) events.push(write.event.id);
    }
    return { hasSecondFactor, events };
  };

  const undo = async (
    cause: Cause,
    token: string,
    session: ClientSession,
  ): Promise<{
    readonly event: EventEnvelope;
    readonly events: readonly string[];
    readonly hasSecondFactor: boolean;
  }> => {
    const { proof, event: used } = await useProof.use(cause, token, 'undo-email', session);
    const { accountId, email, emailKey, createdAt } = proof;
    const older = await reservations.keptOf(accountId, session, createdAt);
    const { hasSecondFactor, events } = await forgetFactors(cause, proof, session);
    const write = await accounts.update(
      cause,
      accountId,
      (current) => {
        const own = emailKeysOf(current);
        // It has the address, or has it no more.
        if (current.emailKey === emailKey || !own.includes(emailKey)) throw linkInvalid();
        const raised = raiseAccessVersion(current, 'sessions', now());
        const { passwordHash: _gone, ...rest } = stateOf(current);
        const emailKeys = [emailKey, ...older.filter((each) => own.includes(each) && each !== emailKey)];
        const state = { ...rest, email, emailKey, emailKeys, emailVerified: true, hasSecondFactor, ...raised };
        const changed = ['email', 'password', ...(events.length === 0 ? [] : ['factors'])];
        const more = { ...raised, previousEmail: current.email };
        return { state, event: updated({ ...current, ...state }, changed, more) };
      },
      { session },
    );
    if (write?.event === undefined) throw linkInvalid();
    // Whoever has stolen the account was signed in to it; but not from where a factor was shown that is trusted.
    const provenUntil = hasSecondFactor ? new Date(createdAt.getTime() - dependencies.undoMs) : undefined;
    await dependencies.knownDevices.forget(emailKey, session, { provenUntil });
    await tickets.forgetOf(accountId, session);
    await withdrawProofs(cause, { accountId, kinds: everyLinkButUndo, reason: 'email-changed' }, session);
    await withdrawProofs(
      cause,
      { accountId, kinds: ['undo-email'], since: createdAt, reason: 'email-changed' },
      session,
    );
    await openProof(cause, { kind: 'reset-password', email: { address: email, key: emailKey }, accountId }, session);
    return { event: write.event, events: [used, write.event.id, ...events], hasSecondFactor };
  };

  return async (cause: Cause, { token }: { readonly token: string }): Promise<readonly string[]> => {
    const { accountId, emailKey } = await useProof.peek(token, 'undo-email');
    const own: Cause = { ...cause, principal: { type: 'app_user', id: accountId } };
    const { event, events, hasSecondFactor } = await transaction((session) => undo(own, token, session));
    await dependencies.tellEnding(accountId, event);
    // A second factor is guessed at too: whoever reads the mail alone could have that forgiven for ever.
    if (!hasSecondFactor) await dependencies.guard.clear(emailKey);
    return events;
  };
}

/** Takes a change of an address back. */
export type UndoEmailChange = ReturnType<typeof createUndoEmailChange>;
