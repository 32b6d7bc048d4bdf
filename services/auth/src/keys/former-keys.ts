import type { Db } from 'mongodb';

import type { SigningKey } from './keyring.model.ts';

interface FormerKey {
  readonly kid: string;
  readonly state: string;
  readonly publicJwk: SigningKey['publicJwk'];
  readonly sealedPrivateJwk: string;
  readonly createdAt: Date;
}

/** The signing keys of releases before there was a keyring. They stay while replicas of such a release may start. */
export interface FormerKeys {
  /** The one that signs, as a key of the keyring. */
  newest(): Promise<SigningKey | undefined>;
  /** Removes all whose private half is not in the keyring any more. */
  forget(keys: readonly SigningKey[]): Promise<void>;
}

/** @param db - this service's, at majority */
export const formerKeys = (db: Db): FormerKeys => {
  const rows = db.collection<FormerKey>('signing-keys');
  return {
    async newest() {
      const key = await rows.findOne({ state: 'active' }, { sort: { _id: -1 } });
      if (key === null) return undefined;
      const { kid, publicJwk, sealedPrivateJwk: sealed, createdAt: at } = key;
      return { kid, publicJwk, sealed, state: 'active', publishedAt: at, activatedAt: at };
    },
    async forget(keys) {
      const kept = keys.flatMap(({ kid, sealed }) => (sealed === undefined ? [] : [kid]));
      await rows.deleteMany({ kid: { $nin: kept } });
    },
  };
};
