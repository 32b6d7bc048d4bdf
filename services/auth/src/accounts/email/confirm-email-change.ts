import type { Cause, EventEnvelope } from '@causeway/contracts';
import { DuplicateKey, stateOf } from '@causeway/events';
import type { Decision, Events, RecordedCollection } from '@causeway/events';
import type { ClientSession } from 'mongodb';

import { everyLinkButUndo } from '../../proofs/proof-kinds.ts';
import { linkInvalid } from '../../proofs/proofs.errors.ts';
import type { OwnedProof, UseProof } from '../../proofs/use-proof.ts';
import type { WithdrawProofs, WithdrawSignUps } from '../../proofs/withdraw-proofs.ts';
import type { TellEnding } from '../../revocations/tell-ending.ts';
import type { KeepSession } from '../../sessions/keep-session.ts';
import type { SessionTokens, Tokens } from '../../sessions/session-tokens.ts';
import { accountDisabled, invalidCredentials } from '../../sessions/sessions.errors.ts';
import { raiseAccessVersion } from '../access-version.ts';
import { accountOf, emailKeysOf } from '../account.model.ts';
import type { Account, AccountDocument } from '../account.model.ts';
import { emailTaken } from '../accounts.errors.ts';
import { updated } from '../accounts.events.ts';
import type { DemandOwner, LinkUser } from '../demand-owner.ts';
import type { Reservations } from './reservations.ts';

/** What {@link createConfirmEmailChange} is given. */
export interface ConfirmEmailChangeDependencies {
  readonly accounts: Pick<RecordedCollection<AccountDocument>, 'update'>;
  readonly useProof: UseProof;
  readonly withdrawProofs: WithdrawProofs;
  readonly withdrawSignUps: WithdrawSignUps;
  readonly demandOwner: DemandOwner;
  readonly reservations: Pick<Reservations, 'keep'>;
  readonly keepSession: KeepSession;
  readonly sessionTokens: SessionTokens;
  readonly tellEnding: TellEnding;
  readonly transaction: Events['transaction'];
  readonly now: () => Date;
}

/** A link, and who uses it. */
export interface ConfirmEmailChangeCommand extends LinkUser {
  readonly token: string;
  /** Of the caller's token: their session stays. */
  readonly sessionId?: string | undefined;
}

/** What came of it. */
export interface ConfirmedEmailChange {
  readonly account: Account;
  /** Of the session that stays, where the call came in one. */
  readonly tokens: Tokens | undefined;
  /** Ids of the events that were recorded. */
  readonly events: readonly string[];
}

/** The account with its new address; the one before stays its own for a while where it was known to be. */
const moved = (
  current: AccountDocument,
  { email, emailKey }: Pick<OwnedProof, 'email' | 'emailKey'>,
  at: Date,
): Decision<AccountDocument> => {
  const before = current.emailVerified ? emailKeysOf(current) : emailKeysOf(current).slice(1);
  const emailKeys = [emailKey, ...before.filter((each) => each !== emailKey)];
  const isOther = current.emailKey !== emailKey;
  const raised = isOther ? raiseAccessVersion(current, 'sessions', at) : {};
  const state = { ...stateOf(current), email, emailKey, emailKeys, emailVerified: true, ...raised };
  const changed = ['email', ...(current.emailVerified ? [] : ['emailVerified'])];
  return {
    state,
    event: updated({ ...current, ...state }, changed, { ...raised, previousEmail: current.email }),
  };
};

/**
 * Gives an account another address, by the link that was mailed to that: in a session of the account or with its password, since the link says
 * who reads the mail, and not whose the account is. All sessions end in the same write, but for the one that asks; the address of before, where it
 * had been verified, stays reserved for a while, and gets the link by which the change is undone. Of two accounts that take one address at
 * once one has it.
 *
 * @returns the use case; it throws faults `link-invalid`, `invalid-credentials`, `too-many-attempts`, `account-disabled`, and
 *   `email-taken`, told to nobody but whoever reads the mail of that address
 */
export function createConfirmEmailChange(dependencies: ConfirmEmailChangeDependencies) {
  const { accounts, useProof, withdrawProofs, demandOwner, reservations, keepSession, transaction, now } = dependencies;

  const change = async (
    cause: Cause,
    command: ConfirmEmailChangeCommand & { readonly provenBy: string | undefined },
    session: ClientSession,
  ) => {
    const { token, callerId, sessionId, provenBy } = command;
    const { proof, event: used } = await useProof.use(cause, token, 'change-email', session);
    const { accountId, emailKey } = proof;
    let before: AccountDocument | undefined;
    const at = now();
    const decide = (current: AccountDocument): Decision<AccountDocument> => {
      if (current.disabledAt !== undefined) throw accountDisabled();
      // Whoever knew the password may have lost the account while they waited to be believed.
      if (provenBy !== undefined && current.passwordHash !== provenBy) throw invalidCredentials();
      before = current;
      return moved(current, proof, at);
    };
    const write = await accounts.update(cause, accountId, decide, { session });
    const asItWas = before;
    if (write?.event === undefined || asItWas === undefined) throw linkInvalid();
    const account = accountOf(write.document);
    const done = { account, event: write.event, events: [used, write.event.id] };
    const isOther = asItWas.emailKey !== emailKey;
    if (!isOther) return done;
    // Nobody signs up with it any more.
    await dependencies.withdrawSignUps(cause, { emailKey, accountId }, session);
    // A link to what it has again leads nowhere.
    await withdrawProofs(cause, { accountId, kinds: ['undo-email'], emailKey, reason: 'email-changed' }, session);
    await withdrawProofs(cause, { accountId, kinds: everyLinkButUndo, reason: 'email-changed' }, session);
    if (asItWas.emailVerified)
      await reservations.keep(cause, accountId, { address: asItWas.email, key: asItWas.emailKey }, session);
    if (callerId !== accountId || sessionId === undefined) return done;
    const kept = { sessionId, account: accountOf(asItWas), accountVersion: account.accessVersion };
    const stays = await keepSession(cause, kept, session);
    return { ...done, events: [...done.events, stays.event], stays: stays.document };
  };

  return async (cause: Cause, command: ConfirmEmailChangeCommand): Promise<ConfirmedEmailChange> => {
    const proof = await useProof.peek(command.token, 'change-email');
    const provenBy = await demandOwner(proof, command);
    const own: Cause = { ...cause, principal: { type: 'app_user', id: proof.accountId } };
    try {
      const done: {
        readonly account: Account;
        readonly event: EventEnvelope;
        readonly events: readonly string[];
        readonly stays?: Parameters<SessionTokens>[1];
      } = await transaction((session) => change(own, { ...command, provenBy }, session));
      const { account, event, events, stays } = done;
      await dependencies.tellEnding(account._id, event);
      const tokens = stays === undefined ? undefined : await dependencies.sessionTokens(account, stays);
      return { account, tokens, events };
    } catch (error) {
      if (error instanceof DuplicateKey && ('emailKey' in error.keyPattern || 'emailKeys' in error.keyPattern))
        throw emailTaken({ cause: error });
      throw error;
    }
  };
}

/** Gives an account another address. */
export type ConfirmEmailChange = ReturnType<typeof createConfirmEmailChange>;
