import type { Cause } from '@causeway/contracts';
import { stateOf } from '@causeway/events';
import type { RecordedCollection } from '@causeway/events';
import type { Vault } from '@causeway/service';
import type { ClientSession } from 'mongodb';

import type { FactorDocument, FactorQueries } from './factor.model.ts';
import { invalidCode } from './factors.errors.ts';
import { used } from './factors.events.ts';
import { totpStep } from './totp.ts';

/** What {@link createUseTotp} is given. */
export interface UseTotpDependencies {
  readonly factors: Pick<RecordedCollection<FactorDocument>, 'update'>;
  readonly factorQueries: Pick<FactorQueries, 'activeOf'>;
  readonly vault: Pick<Vault, 'open'>;
  readonly now: () => Date;
}

/**
 * Takes a code of an authenticator app, once.
 *
 * @param session - of the transaction of what the code opens
 * @returns the id of the event
 * @throws fault `invalid-code`, also where the account has no such app
 */
export type UseTotp = (
  cause: Cause,
  given: { readonly accountId: string; readonly code: string },
  session: ClientSession,
) => Promise<string>;

/** @returns the use case. That a code is new is decided in the same compare-and-set that remembers it. */
export const createUseTotp =
  ({ factors, factorQueries, vault, now }: UseTotpDependencies): UseTotp =>
  async (cause, { accountId, code }, session) => {
    const factor = (await factorQueries.activeOf(accountId)).find(({ kind }) => kind === 'totp');
    if (factor === undefined) throw invalidCode();
    const write = await factors.update(
      cause,
      factor._id,
      async (current) => {
        const { _id, secretSealed, lastStep } = current;
        if (secretSealed === undefined || current.status !== 'active') throw invalidCode();
        const at = now();
        const step = await totpStep({ secret: vault.open(secretSealed, _id), code, at, lastStep });
        if (step === undefined) throw invalidCode();
        return { state: { ...stateOf(current), lastStep: step, lastUsedAt: at }, event: used(current) };
      },
      { session },
    );
    if (write?.event === undefined) throw invalidCode();
    return write.event.id;
  };
