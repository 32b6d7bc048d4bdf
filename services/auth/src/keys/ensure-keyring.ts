import { keyringChanged } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import { draft, DuplicateKey } from '@causeway/events';
import type { RecordedCollection } from '@causeway/events';
import type { Vault } from '@causeway/service';

import type { FormerKeys } from './former-keys.ts';
import { keyringId } from './keyring.model.ts';
import type { KeyringDocument, SigningKey } from './keyring.model.ts';
import { makeSigningKey } from './signing-key.ts';

/** What {@link ensureKeyring} is given. */
export interface EnsureKeyringDependencies {
  readonly keyrings: Pick<RecordedCollection<KeyringDocument>, 'create' | 'native'>;
  readonly former: Pick<FormerKeys, 'newest'>;
  readonly vault: Vault;
  readonly now: () => Date;
  /** Ids of the master keys that open the root key. */
  readonly openedBy: () => Promise<readonly string[]>;
}

const makeFirst = async (vault: Vault, at: Date): Promise<SigningKey> => ({
  ...(await makeSigningKey(vault)),
  ...{ state: 'active', publishedAt: at, activatedAt: at },
});

/** Sees to it that there is a key: that of an earlier release, or a new one. Replicas that start at once agree on one. */
export async function ensureKeyring(
  { keyrings, former, vault, now, openedBy }: EnsureKeyringDependencies,
  cause: Cause,
): Promise<void> {
  if ((await keyrings.native.countDocuments({ _id: keyringId })) > 0) return;
  const key = (await former.newest()) ?? (await makeFirst(vault, now()));
  const event = draft(keyringChanged, { kid: key.kid, change: 'activated' });
  try {
    await keyrings.create(cause, { _id: keyringId, state: { keys: [key], openedBy: await openedBy() }, event });
  } catch (error) {
    if (!(error instanceof DuplicateKey)) throw error;
  }
}
