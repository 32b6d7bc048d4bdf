import type { Cause, EventEnvelope } from '@causeway/contracts';
import { stateOf } from '@causeway/events';
import type { Decision, RecordedCollection } from '@causeway/events';
import type { ClientSession } from 'mongodb';

import type { FactorDocument } from '../factors/factor.model.ts';
import { removed } from '../factors/factors.events.ts';
import type { KnownDevices } from '../guessing/known-devices.ts';
import { everyLinkButUndo } from '../proofs/proof-kinds.ts';
import { linkInvalid } from '../proofs/proofs.errors.ts';
import type { WithdrawProofs } from '../proofs/withdraw-proofs.ts';
import type { Tickets } from '../tickets/tickets.ts';
import { raiseAccessVersion } from './access-version.ts';
import { accountOf } from './account.model.ts';
import type { Account, AccountDocument } from './account.model.ts';
import { updated } from './accounts.events.ts';

/** What {@link createClaimAccount} is given. */
export interface ClaimAccountDependencies {
  readonly accounts: Pick<RecordedCollection<AccountDocument>, 'native' | 'update'>;
  readonly factors: Pick<RecordedCollection<FactorDocument>, 'delete' | 'native'>;
  readonly withdrawProofs: WithdrawProofs;
  readonly tickets: Pick<Tickets, 'forgetOf'>;
  readonly knownDevices: Pick<KnownDevices, 'forget'>;
  readonly now: () => Date;
}

/** An account whose owner has used a link. */
export interface ClaimAccountCommand {
  readonly accountId: string;
  /** The address that the link was mailed to. */
  readonly emailKey: string;
  /** The hash of the password that they have chosen. */
  readonly passwordHash?: string;
}

/** An account as it is then. */
export interface ClaimedAccount {
  readonly account: Account;
  /** The event of its change; absent where there was nothing to change. */
  readonly event?: EventEnvelope;
  /** Ids of all events. */
  readonly events: readonly string[];
}

/** Of an account; more than it may have. */
const mostFactors = 100;

/**
 * Gives an account to whoever reads the mail of its address, in the transaction that uses their link. Where nobody had confirmed the address
 * until then, somebody else may have signed up with it and wait: what was set before, the password, second factors and links, is gone, all
 * sessions end, and no device is known any more. A new password ends sessions and makes strangers of devices in any case; what somebody has begun
 * and not completed goes with them.
 *
 * @throws fault `link-invalid` where the account has another address by now, or is gone
 */
export type ClaimAccount = (
  cause: Cause,
  command: ClaimAccountCommand,
  session: ClientSession,
) => Promise<ClaimedAccount>;

/** Makes it. */
export const createClaimAccount = (dependencies: ClaimAccountDependencies): ClaimAccount => {
  const { accounts, factors, withdrawProofs, knownDevices, tickets, now } = dependencies;
  const forgetFactors = async (cause: Cause, accountId: string, session: ClientSession): Promise<string[]> => {
    const found = factors.native.find({ accountId }, { session, projection: { _id: 1 } }).limit(mostFactors);
    const events: string[] = [];
    for (const { _id } of await found.toArray()) {
      const write = await factors.delete(cause, _id, (factor) => removed(factor, 'reset'), { session });
      if (write !== undefined) events.push(write.event.id);
    }
    return events;
  };

  const decide = (
    current: AccountDocument,
    { emailKey, passwordHash }: ClaimAccountCommand,
  ): Decision<AccountDocument> | undefined => {
    if (current.emailKey !== emailKey) throw linkInvalid();
    const { emailVerified: wasVerified } = current;
    if (wasVerified && passwordHash === undefined) return undefined;
    const at = now();
    const raised = raiseAccessVersion(current, 'sessions', at);
    const { passwordHash: before, ...rest } = stateOf(current);
    const kept = wasVerified ? {} : { emailVerified: true, hasSecondFactor: false };
    const chosen = passwordHash === undefined ? {} : { passwordHash, passwordChangedAt: at };
    const state = { ...rest, ...kept, ...raised, ...chosen };
    const changed = [
      ...(passwordHash === undefined && before === undefined ? [] : ['password']),
      ...(wasVerified ? [] : ['emailVerified']),
      ...(!wasVerified && current.hasSecondFactor === true ? ['factors'] : []),
    ];
    return { state, event: updated({ ...current, ...state }, changed, raised) };
  };

  return async (cause, command, session) => {
    const { accountId } = command;
    const before = await accounts.native.findOne({ _id: accountId }, { session });
    if (before === null) throw linkInvalid();
    const write = await accounts.update(cause, accountId, (current) => decide(current, command), { session });
    if (write === undefined) throw linkInvalid();
    const { document, event } = write;
    if (event === undefined) return { account: accountOf(document), events: [] };
    await tickets.forgetOf(accountId, session);
    // Where there is a second factor, whoever reads the mail alone makes a stranger of no device that has shown it.
    const provenUntil = accountOf(document).hasSecondFactor ? now() : undefined;
    await knownDevices.forget(command.emailKey, session, { provenUntil });
    if (before.emailVerified) return { account: accountOf(document), event, events: [event.id] };
    const gone = await forgetFactors(cause, accountId, session);
    await withdrawProofs(cause, { accountId, kinds: everyLinkButUndo, reason: 'claimed' }, session);
    return { account: accountOf(document), event, events: [event.id, ...gone] };
  };
};
