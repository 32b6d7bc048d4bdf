import type { ClientSession, Db } from 'mongodb';

/** Which e-mail addresses somebody had whose account is gone, as they are compared, and since when it is. */
export interface ErasedAddresses {
  readonly emailKeys: readonly string[];
  readonly erasedAt: Date;
}

/**
 * Remembers the addresses of somebody for as long as their erasure takes: what was sent to one before there was the account says whose it is by
 * nothing else. It carries no events, and goes with the last step.
 */
export interface ErasureNotes {
  /** In the transaction that deletes the account. */
  keep(accountId: string, addresses: ErasedAddresses, session: ClientSession): Promise<void>;
  /** @returns none for somebody whose erasure is over, or was begun by an earlier release */
  of(accountId: string): Promise<ErasedAddresses>;
  forget(accountId: string): Promise<number>;
}

/** Makes it. */
export const createErasureNotes = (db: Db): ErasureNotes => {
  const rows = db.collection<ErasedAddresses & { readonly _id: string }>('erased-addresses');
  return {
    async keep(_id, { emailKeys, erasedAt }, session) {
      await rows.insertOne({ _id, emailKeys, erasedAt }, { session });
    },
    of: async (_id) => (await rows.findOne({ _id })) ?? { emailKeys: [], erasedAt: new Date(0) },
    forget: async (_id) => (await rows.deleteOne({ _id })).deletedCount,
  };
};
