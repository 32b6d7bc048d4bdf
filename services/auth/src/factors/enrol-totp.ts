import { faults, newId } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import { DuplicateKey, stateOf } from '@causeway/events';
import type { RecordedCollection } from '@causeway/events';
import type { Vault } from '@causeway/service';
import type { ClientSession } from 'mongodb';

import type { AccountQueries } from '../accounts/account.model.ts';
import { deviceOfToken } from '../guessing/guess.ts';
import type { GuessGuard } from '../guessing/guess-guard.ts';
import type { Caller } from './caller.ts';
import type { FactorDocument, FactorQueries } from './factor.model.ts';
import { factorExists, invalidCode } from './factors.errors.ts';
import { added, removed, updated } from './factors.events.ts';
import type { EnsureRecoveryCodes } from './keep-recovery-codes.ts';
import type { NoteFactors } from './note-factors.ts';
import type { OfferUndo } from './offer-undo.ts';
import { newTotpSecret, totpStep, totpUri } from './totp.ts';

/** What enrolling an authenticator app is given. */
export interface EnrolTotpDependencies {
  readonly accountQueries: Pick<AccountQueries, 'byId'>;
  readonly factors: Pick<RecordedCollection<FactorDocument>, 'create' | 'update' | 'delete' | 'native'>;
  readonly factorQueries: Pick<FactorQueries, 'activeOf' | 'pendingIdsOf'>;
  readonly transaction: <T>(work: (session: ClientSession) => Promise<T>) => Promise<T>;
  readonly vault: Vault;
  readonly guard: Pick<GuessGuard, 'attempt'>;
  /** Named in the app. */
  readonly issuer: string;
  readonly noteFactors: NoteFactors;
  readonly ensureRecoveryCodes: EnsureRecoveryCodes;
  readonly offerUndo: OfferUndo;
  readonly now: () => Date;
}

/** A factor that waits to be confirmed, and its secret, which is told this once. */
export interface BegunTotp {
  readonly factor: FactorDocument;
  readonly secret: string;
  readonly uri: string;
  /** Ids of the events that were recorded. */
  readonly events: readonly string[];
}

const accountGone = () => faults.unauthenticated({ message: 'the account of this token is gone' });

/** For so long a factor waits to be confirmed. */
export const confirmWithinMs = 15 * 60_000;

/**
 * Begins to enrol an authenticator app. One that was begun before and never confirmed goes.
 *
 * @returns the use case; it throws fault `factor-exists`, and `unauthenticated` where the account is gone
 */
export const createBeginTotp =
  (given: EnrolTotpDependencies) =>
  async (cause: Cause, command: { readonly accountId: string; readonly name: string }): Promise<BegunTotp> => {
    const { accountQueries, factors, factorQueries, transaction, vault, issuer } = given;
    const { accountId, name } = command;
    const account = await accountQueries.byId(accountId);
    if (account === undefined) throw accountGone();
    if ((await factorQueries.activeOf(accountId)).some(({ kind }) => kind === 'totp')) throw factorExists();
    const abandoned = await factorQueries.pendingIdsOf(accountId);
    const _id = newId('fac');
    const secret = newTotpSecret();
    const state = { accountId, kind: 'totp', status: 'pending', name, secretSealed: vault.seal(secret, _id) } as const;
    return transaction(async (session) => {
      const writes = [];
      for (const id of abandoned) {
        writes.push(await factors.delete(cause, id, (factor) => removed(factor, 'not-confirmed'), { session }));
      }
      const creation = { _id, state, event: added({ _id, ...state }) };
      const { document, event } = await factors.create(cause, creation, { session });
      const events = [...writes.flatMap((write) => (write === undefined ? [] : [write.event.id])), event.id];
      return { factor: document, secret, uri: totpUri({ issuer, label: account.email, secret }), events };
    });
  };

/** Which factor, and a code that the app shows. */
export interface ConfirmTotpCommand extends Caller {
  readonly factorId: string;
  readonly code: string;
  /** The caller's address. */
  readonly ip?: string | undefined;
}

/**
 * Confirms an authenticator app: from now on signing in takes a code of it, or one of the recovery codes that come with it where there are none yet.
 *
 * @returns the use case; it throws faults `invalid-code`, `factor-exists`, `too-many-factors`, `too-many-attempts` before a code is looked at, `not-found` where
 *   there is nothing to confirm, and `unauthenticated` where the account is gone, or the caller's session over by then
 */
export function createConfirmTotp(dependencies: EnrolTotpDependencies) {
  const { accountQueries, factors, transaction, vault, noteFactors, ensureRecoveryCodes, offerUndo, guard, now } =
    dependencies;
  const activate = async (factor: FactorDocument, { accountId, sessionId, code }: ConfirmTotpCommand, at: Date) => {
    const { _id, secretSealed, createdAt } = factor;
    const isOver = createdAt.getTime() + confirmWithinMs <= at.getTime();
    if (factor.accountId !== accountId || secretSealed === undefined || isOver) throw faults.notFound();
    if (factor.status === 'active') throw factorExists();
    const lastStep = await totpStep({ secret: vault.open(secretSealed, _id), code, at });
    if (lastStep === undefined) throw invalidCode();
    const state = { ...stateOf(factor), status: 'active' as const, lastStep };
    return { state, event: updated(factor, ['status'], { sessionId }) };
  };

  const confirm = async (cause: Cause, command: ConfirmTotpCommand) => {
    try {
      return await transaction(async (session) => {
        const at = now();
        const factor = await factors.update(cause, command.factorId, (current) => activate(current, command, at), {
          session,
        });
        if (factor === undefined) throw faults.notFound();
        const { accountId, sessionId, factorId } = command;
        const { account, event: noted, deviceToken } = await noteFactors(cause, command, session);
        const before = factors.native.find({ accountId, status: 'active', _id: { $ne: factorId } }, { session });
        const added = { factor: factor.document, before: await before.toArray(), account, sessionId };
        const offered = await offerUndo(cause, added, session);
        const made = await ensureRecoveryCodes(cause, { accountId, sessionId, cameWith: factorId }, session);
        const events = [factor.event?.id, noted, made?.event, offered].filter((id) => id !== undefined);
        return { factor: factor.document, recoveryCodes: made?.codes, deviceToken, events };
      });
    } catch (error) {
      if (error instanceof DuplicateKey && 'kind' in error.keyPattern) throw factorExists({ cause: error });
      throw error;
    }
  };

  return async (cause: Cause, command: ConfirmTotpCommand) => {
    const { accountId, sessionId: sid, ip } = command;
    const account = await accountQueries.byId(accountId);
    if (account === undefined) throw accountGone();
    return guard.attempt(
      // The session shows that somebody has signed in from here.
      { emailKey: account.emailKey, path: 'totp', ip, devices: [deviceOfToken({ sid })] },
      () => confirm(cause, command),
      // It lets nobody in: what was counted stays, but for its own place.
      () => 'once-more',
    );
  };
}
