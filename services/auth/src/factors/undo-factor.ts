import type { Cause, EventEnvelope } from '@causeway/contracts';
import { stateOf } from '@causeway/events';
import type { Events, RecordedCollection } from '@causeway/events';
import type { ClientSession } from 'mongodb';

import { raiseAccessVersion } from '../accounts/access-version.ts';
import type { AccountDocument } from '../accounts/account.model.ts';
import { updated } from '../accounts/accounts.events.ts';
import type { KnownDevices } from '../guessing/known-devices.ts';
import type { OpenProof } from '../proofs/open-proof.ts';
import { everyLinkButUndo } from '../proofs/proof-kinds.ts';
import type { FactorsBefore } from '../proofs/proof.model.ts';
import { linkInvalid } from '../proofs/proofs.errors.ts';
import type { OwnedProof, UseProof } from '../proofs/use-proof.ts';
import type { WithdrawProofs } from '../proofs/withdraw-proofs.ts';
import type { TellEnding } from '../revocations/tell-ending.ts';
import type { Tickets } from '../tickets/tickets.ts';
import type { FactorDocument } from './factor.model.ts';
import { soleFactor } from './factors.errors.ts';
import { removed } from './factors.events.ts';

/** What {@link createUndoFactor} is given. */
export interface UndoFactorDependencies {
  readonly accounts: Pick<RecordedCollection<AccountDocument>, 'update'>;
  readonly factors: Pick<RecordedCollection<FactorDocument>, 'delete' | 'native'>;
  readonly useProof: UseProof;
  readonly openProof: OpenProof;
  readonly withdrawProofs: WithdrawProofs;
  readonly tickets: Pick<Tickets, 'forgetOf'>;
  readonly knownDevices: Pick<KnownDevices, 'forget'>;
  readonly tellEnding: TellEnding;
  readonly transaction: Events['transaction'];
  readonly now: () => Date;
}

/**
 * What of an account's factors an undoing leaves: those that were there before, if there still are any; and recovery codes where they are the
 * same as then.
 *
 * @throws fault `sole-factor` where there were some and none is left: whoever reads the mail alone would take the last one away
 */
export const keptBy = (
  { factorIds, codesAt }: FactorsBefore,
  all: readonly FactorDocument[],
): { readonly hasSecondFactor: boolean; readonly gone: readonly FactorDocument[] } => {
  const wasThere = ({ _id, status }: FactorDocument): boolean => status === 'active' && factorIds.includes(_id);
  const hasSecondFactor = all.some(wasThere);
  if (!hasSecondFactor && factorIds.length > 0) throw soleFactor();
  const isSame = (factor: FactorDocument): boolean =>
    hasSecondFactor &&
    factor.kind === 'recovery-codes' &&
    (factor.codesAt ?? factor.createdAt).getTime() === codesAt?.getTime();
  return { hasSecondFactor, gone: all.filter((factor) => !wasThere(factor) && !isSame(factor)) };
};

/**
 * Takes a second factor back that was added, by the link that was mailed then, and whatever was added since: the account has what it had before,
 * and no less. Somebody else may have been in it, so all sessions end, sign-ins that are half done are over, the password opens nothing any more
 * and a link to choose another is mailed. Guesses are not forgiven: whoever reads the mail alone comes no further than without the link.
 *
 * @returns the use case, which gives the ids of the events; it throws faults `link-invalid`, also where the account has another address by
 *   now, and `sole-factor`
 */
export function createUndoFactor(dependencies: UndoFactorDependencies) {
  const { accounts, factors, useProof, openProof, withdrawProofs, tickets, transaction, now } = dependencies;

  const takeBack = async (cause: Cause, { accountId, emailKey, before }: OwnedProof, session: ClientSession) => {
    if (before === undefined) throw linkInvalid();
    const all = await factors.native.find({ accountId }, { session }).toArray();
    const { hasSecondFactor, gone } = keptBy(before, all);
    const write = await accounts.update(
      cause,
      accountId,
      (current) => {
        // The link that undoes the change of the address is in the mail that told of that.
        if (current.emailKey !== emailKey) throw linkInvalid();
        const raised = raiseAccessVersion(current, 'sessions', now());
        const { passwordHash, ...rest } = stateOf(current);
        const changed = ['factors', ...(passwordHash === undefined ? [] : ['password'])];
        return { state: { ...rest, ...raised, hasSecondFactor }, event: updated(current, changed, raised) };
      },
      { session },
    );
    if (write?.event === undefined) throw linkInvalid();
    const events = [write.event.id];
    for (const { _id } of gone) {
      const removal = await factors.delete(cause, _id, (factor) => removed(factor, 'undone'), { session });
      if (removal !== undefined) events.push(removal.event.id);
    }
    return { event: write.event, events, hasSecondFactor };
  };

  const undo = async (
    cause: Cause,
    token: string,
    session: ClientSession,
  ): Promise<{ readonly event: EventEnvelope; readonly events: readonly string[] }> => {
    const { proof, event: used } = await useProof.use(cause, token, 'undo-factor', session);
    const { accountId, email, emailKey, createdAt: since } = proof;
    const { event, events, hasSecondFactor } = await takeBack(cause, proof, session);
    await tickets.forgetOf(accountId, session);
    // Whoever has added it was signed in; but where another was shown before, its owner was.
    await dependencies.knownDevices.forget(emailKey, session, { provenUntil: hasSecondFactor ? since : undefined });
    const reason = 'factor-undone';
    await withdrawProofs(cause, { accountId, kinds: everyLinkButUndo, reason }, session);
    await withdrawProofs(cause, { accountId, kinds: ['undo-factor'], since, reason }, session);
    await openProof(cause, { kind: 'reset-password', email: { address: email, key: emailKey }, accountId }, session);
    return { event, events: [used, ...events] };
  };

  return async (cause: Cause, { token }: { readonly token: string }): Promise<readonly string[]> => {
    const { accountId } = await useProof.peek(token, 'undo-factor');
    const own: Cause = { ...cause, principal: { type: 'app_user', id: accountId } };
    const { event, events } = await transaction((session) => undo(own, token, session));
    await dependencies.tellEnding(accountId, event);
    return events;
  };
}

/** Takes a second factor back. */
export type UndoFactor = ReturnType<typeof createUndoFactor>;
