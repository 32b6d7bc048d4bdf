import { keyringChanged } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import { draft, stateOf } from '@causeway/events';
import type { RecordedCollection } from '@causeway/events';

import { keyringId } from './keyring.model.ts';
import type { KeyringDocument } from './keyring.model.ts';

/** What {@link createTellResealed} is given. */
export interface TellResealedDependencies {
  readonly keyrings: Pick<RecordedCollection<KeyringDocument>, 'native' | 'update'>;
  /** Ids of the master keys that open the root key, sorted. */
  readonly openedBy: () => Promise<readonly string[]>;
}

const isSame = (one: readonly string[] | undefined, other: readonly string[]): boolean => one?.join() === other.join();

/**
 * Tells that keys are encrypted under another set of master keys than before. Whoever has changed it, by `npm run auth -- master-key`, does
 * not reach Kafka: a replica finds it, and a compare-and-set decides which.
 *
 * @returns a job; it takes its cause
 */
export const createTellResealed =
  ({ keyrings, openedBy }: TellResealedDependencies) =>
  async (cause: Cause): Promise<void> => {
    const now = await openedBy();
    const keyring = await keyrings.native.findOne({ _id: keyringId }, { projection: { openedBy: 1 } });
    if (isSame(keyring?.openedBy, now)) return;
    await keyrings.update(cause, keyringId, (current) => {
      const kid = current.keys.find(({ state }) => state === 'active')?.kid;
      if (isSame(current.openedBy, now) || kid === undefined) return undefined;
      return {
        state: { ...stateOf(current), openedBy: now },
        event: draft(keyringChanged, { kid, change: 'resealed' }),
      };
    });
  };
