import { faults } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import { stateOf } from '@causeway/events';
import type { RecordedCollection } from '@causeway/events';
import type { ClientSession } from 'mongodb';

import { raiseAccessVersion } from '../accounts/access-version.ts';
import { accountOf } from '../accounts/account.model.ts';
import type { Account, AccountDocument } from '../accounts/account.model.ts';
import { updated as accountUpdated } from '../accounts/accounts.events.ts';
import { whyOver } from '../sessions/session-admission.ts';
import type { SessionDocument } from '../sessions/session.model.ts';
import { reauthenticated } from '../sessions/sessions.events.ts';
import { demandAccess, demandLive, sessionOver } from './caller.ts';
import type { Caller } from './caller.ts';
import type { FactorDocument } from './factor.model.ts';
import { lastFactor } from './factors.errors.ts';
import { removed, updated } from './factors.events.ts';

/** What changing factors is given. */
export interface ChangeFactorDependencies {
  readonly accounts: Pick<RecordedCollection<AccountDocument>, 'update'>;
  readonly sessions: Pick<RecordedCollection<SessionDocument>, 'native' | 'update'>;
  readonly factors: Pick<RecordedCollection<FactorDocument>, 'delete' | 'native' | 'update'>;
  readonly transaction: <T>(work: (session: ClientSession) => Promise<T>) => Promise<T>;
  readonly now: () => Date;
}

/** Which factor, and of whom. */
export interface FactorCommand {
  readonly accountId: string;
  readonly factorId: string;
}

/** Whether an account asks for a second proof as long as it has one of this kind. */
const isSecond = ({ kind }: Pick<FactorDocument, 'kind'>): boolean => kind !== 'recovery-codes';

const own = async (
  given: ChangeFactorDependencies,
  { accountId, factorId }: FactorCommand,
  session?: ClientSession,
) => {
  const factor = await given.factors.native.findOne(
    { _id: factorId, accountId },
    session === undefined ? {} : { session },
  );
  if (factor === null) throw faults.notFound();
  return factor;
};

/**
 * Removes a factor of somebody, who has just proved who they are with two. With the last second factor its recovery codes go, and signing
 * in takes one proof again. Sessions end in the same write of the account, but for the one that asks: whoever got in with what is removed is out.
 *
 * @returns the use case; it gives the ids of the events, and throws faults `not-found`, `last-factor`, and
 *   `unauthenticated` where the session that asks is over by then
 */
export const createRemoveFactor =
  (given: ChangeFactorDependencies) =>
  (cause: Cause, command: FactorCommand & Caller): Promise<readonly string[]> =>
    given.transaction(async (session) => {
      const { accountId, sessionId } = command;
      await demandLive(given, command, session);
      const events: (string | undefined)[] = [];
      const remove = async ({ _id }: Pick<FactorDocument, '_id'>): Promise<void> => {
        const removal = (factor: FactorDocument) =>
          // One that was never confirmed was nobody's yet.
          factor.status === 'pending' ? removed(factor, 'not-confirmed') : removed(factor, 'owner', sessionId);
        const write = await given.factors.delete(cause, _id, removal, { session });
        events.push(write?.event.id);
      };
      const factor = await own(given, command, session);
      await remove(factor);
      // Nobody got in with it.
      if (factor.status === 'pending') return events.filter((id) => id !== undefined);
      const left = await given.factors.native.find({ accountId, status: 'active' }, { session }).toArray();
      const hasSecondFactor = left.some(isSecond);
      if (!hasSecondFactor) for (const each of left) await remove(each);

      let before: Pick<Account, 'disabledAt' | 'sessionsFrom'> | undefined;
      const account = await given.accounts.update(
        cause,
        accountId,
        (current) => {
          demandAccess(current, command);
          before = accountOf(current);
          const raised = raiseAccessVersion(current, 'sessions', given.now());
          const { accessVersion, sessionsFrom } = raised;
          return {
            state: { ...stateOf(current), ...raised, hasSecondFactor },
            event: accountUpdated(current, ['factors'], {
              accessVersion,
              ...(sessionsFrom !== undefined && { sessionsFrom }),
            }),
          };
        },
        { session },
      );
      if (account === undefined || before === undefined) throw faults.notFound();
      // A mailed link alone would open it; where any second factor is left, that asks for it.
      if (account.document.passwordHash === undefined && !hasSecondFactor)
        throw lastFactor({ detail: 'Set a password first (`PUT /v1/auth/password`), or add another second factor.' });
      const asItWas = before;
      const { accessVersion: accountVersion } = account.document;
      const stays = await given.sessions.update(
        cause,
        sessionId,
        (current) =>
          // One that was over already is not brought back by it.
          current.status === 'ended' ||
          current.accountId !== accountId ||
          accountVersion === undefined ||
          whyOver(asItWas, current) !== undefined
            ? undefined
            : { state: { ...stateOf(current), accountVersion }, event: reauthenticated(current) },
        { session },
      );
      if (stays?.event === undefined) throw sessionOver();
      events.push(account.event?.id, stays.event.id);
      return events.filter((id) => id !== undefined);
    });

/**
 * Names a factor of somebody.
 *
 * @returns the use case; it throws fault `not-found`
 */
export const createRenameFactor =
  (given: ChangeFactorDependencies) => async (cause: Cause, command: FactorCommand & { readonly name: string }) => {
    const { _id } = await own(given, command);
    const write = await given.factors.update(cause, _id, (current) =>
      current.name === command.name
        ? undefined
        : { state: { ...stateOf(current), name: command.name }, event: updated(current, ['name']) },
    );
    if (write === undefined) throw faults.notFound();
    return { factor: write.document, events: write.event === undefined ? [] : [write.event.id] };
  };
