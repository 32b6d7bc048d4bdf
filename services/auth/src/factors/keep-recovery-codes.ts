import { faults, newId } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import { stateOf } from '@causeway/events';
import type { RecordedCollection } from '@causeway/events';
import type { ClientSession } from 'mongodb';

import type { Caller } from './caller.ts';
import type { FactorDocument, FactorQueries } from './factor.model.ts';
import { invalidCode } from './factors.errors.ts';
import { added, updated, used } from './factors.events.ts';
import type { NoteFactors } from './note-factors.ts';
import type { RecoveryCodes } from './recovery-codes.ts';

/** What keeping recovery codes is given. */
export interface KeepRecoveryCodesDependencies {
  readonly factors: Pick<RecordedCollection<FactorDocument>, 'create' | 'update' | 'native'>;
  readonly factorQueries: Pick<FactorQueries, 'activeOf'>;
  readonly recoveryCodes: RecoveryCodes;
  readonly now: () => Date;
}

/** What {@link createReplaceRecoveryCodes} is given. */
export interface ReplaceRecoveryCodesDependencies extends Omit<KeepRecoveryCodesDependencies, 'factorQueries'> {
  readonly noteFactors: NoteFactors;
  readonly transaction: <T>(work: (session: ClientSession) => Promise<T>) => Promise<T>;
}

/** New codes, which are told this once. */
export interface NewRecoveryCodes {
  readonly codes: readonly string[];
  /** Id of the event that was recorded. */
  readonly event: string;
}

/** Whose codes, and why there are others. */
export interface RenewRecoveryCodesCommand {
  readonly accountId: string;
  /** Of whoever asks for them. */
  readonly sessionId: string;
  /** The factor that they come with, where nobody has asked for codes alone. */
  readonly cameWith?: string;
}

/** Makes codes for an account, in a transaction; those that it had open nothing any more. */
export type RenewRecoveryCodes = (
  cause: Cause,
  command: RenewRecoveryCodesCommand,
  session: ClientSession,
) => Promise<NewRecoveryCodes>;

/** @returns the use case */
export const createRenewRecoveryCodes =
  ({ factors, recoveryCodes, now }: Omit<KeepRecoveryCodesDependencies, 'factorQueries'>): RenewRecoveryCodes =>
  async (cause, { accountId, ...by }, session) => {
    const codes = recoveryCodes.make();
    const codesAt = now();
    const kept = (id: string) => codes.map((code) => ({ hash: recoveryCodes.hash(code, id) }));
    const current = await factors.native.findOne({ accountId, kind: 'recovery-codes' }, { session });
    if (current !== null) {
      const write = await factors.update(
        cause,
        current._id,
        (factor) => ({
          state: { ...stateOf(factor), codes: kept(factor._id), codesAt },
          event: updated(factor, ['codes'], by),
        }),
        { session },
      );
      if (write?.event !== undefined) return { codes, event: write.event.id };
    }
    const _id = newId('fac');
    const named = { accountId, kind: 'recovery-codes', status: 'active', name: 'Recovery codes' } as const;
    const creation = { _id, state: { ...named, codes: kept(_id), codesAt }, event: added({ _id, ...named }) };
    const { event } = await factors.create(cause, creation, { session });
    return { codes, event: event.id };
  };

/**
 * Sees to it that an account whose second factor is added has codes that stand in for it. Those that it has stay: their owner has them on paper, and
 * would not know that they open nothing any more. Where all are used there are new ones.
 *
 * @returns the new codes; undefined where there were some to be used
 */
export type EnsureRecoveryCodes = (
  cause: Cause,
  command: RenewRecoveryCodesCommand,
  session: ClientSession,
) => Promise<NewRecoveryCodes | undefined>;

/** @returns the use case */
export const createEnsureRecoveryCodes =
  (given: Omit<KeepRecoveryCodesDependencies, 'factorQueries'>): EnsureRecoveryCodes =>
  async (cause, command, session) => {
    const { accountId } = command;
    const current = await given.factors.native.findOne({ accountId, kind: 'recovery-codes' }, { session });
    if (current?.codes?.some(({ usedAt }) => usedAt === undefined) === true) return undefined;
    return createRenewRecoveryCodes(given)(cause, command, session);
  };

/**
 * Makes new codes in place of those that an account has.
 *
 * @returns the use case; it throws faults `conflict` where the account has no second factor that they could stand in for, and
 *   `unauthenticated` where the caller's session is over by then
 */
export const createReplaceRecoveryCodes =
  ({ transaction, noteFactors, ...given }: ReplaceRecoveryCodesDependencies) =>
  (cause: Cause, caller: Caller): Promise<NewRecoveryCodes> => {
    const renew = createRenewRecoveryCodes(given);
    const { accountId, sessionId } = caller;
    return transaction(async (session) => {
      await noteFactors(cause, caller, session);
      const active = await given.factors.native.find({ accountId, status: 'active' }, { session }).toArray();
      if (!active.some(({ kind }) => kind !== 'recovery-codes'))
        throw faults.conflict({ detail: 'Enrol a second factor first: the codes stand in for it.' });
      return renew(cause, { accountId, sessionId }, session);
    });
  };

/**
 * Takes a recovery code, once.
 *
 * @param session - of the transaction of what the code opens
 * @returns the id of the event
 * @throws fault `invalid-code`
 */
export type UseRecoveryCode = (
  cause: Cause,
  given: { readonly accountId: string; readonly code: string },
  session: ClientSession,
) => Promise<string>;

/** @returns the use case. All codes of an account are one document, so that whoever uses one and whoever makes new ones meet there. */
export const createUseRecoveryCode =
  ({ factors, factorQueries, recoveryCodes, now }: KeepRecoveryCodesDependencies): UseRecoveryCode =>
  async (cause, { accountId, code }, session) => {
    const factor = (await factorQueries.activeOf(accountId)).find(({ kind }) => kind === 'recovery-codes');
    if (factor === undefined) throw invalidCode();
    const hash = recoveryCodes.hash(code, factor._id);
    const write = await factors.update(
      cause,
      factor._id,
      (current) => {
        const at = now();
        const { codes = [] } = current;
        if (!codes.some((kept) => kept.hash === hash && kept.usedAt === undefined)) throw invalidCode();
        const next = codes.map((kept) => (kept.hash === hash ? { ...kept, usedAt: at } : kept));
        const remaining = next.filter(({ usedAt }) => usedAt === undefined).length;
        return { state: { ...stateOf(current), codes: next, lastUsedAt: at }, event: used(current, remaining) };
      },
      { session },
    );
    if (write?.event === undefined) throw invalidCode();
    return write.event.id;
  };
