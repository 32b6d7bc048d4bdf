import { createHmac } from 'node:crypto';

import { MongoServerError } from 'mongodb';
import type { ClientSession, Db } from 'mongodb';

/** Links of a kind that are counted together in {@link windowOf} it: more would only fill somebody's mailbox. */
export const mostLinks = 5;
/** In an hour, by whomever: four windows, where these are the shortest. */
export const mostAnHour = 20;
const hourMs = 3_600_000;
const shortestMs = (hourMs * mostLinks) / mostAnHour;

/**
 * For how long a link counts. No longer than it lives: whoever finds all places taken has been mailed one that still works, and strangers who take
 * them keep nobody out. But never less than a quarter of an hour, so that no more than {@link mostAnHour} are mailed; nor more than an hour.
 *
 * @param lifetimeMs - of the links of a kind
 */
export const windowOf = (lifetimeMs: number): number => Math.min(Math.max(lifetimeMs, shortestMs), hourMs);

/** How often links were asked for, by one sort of asker, of one kind, for one address or account. It carries no events: nothing follows. */
interface QuotaRow {
  /** An HMAC, which names nobody. */
  readonly _id: string;
  /** The last ones, as many as there may be, the oldest first. */
  readonly places: readonly { readonly by: string; readonly at: Date }[];
  /** When none of them counts any more. */
  readonly forgetAt: Date;
  /** Links that were made: transactions that make them meet here. */
  readonly made?: number;
}

/** What is counted together: texts that nobody else's counts have, such as who asks, for what kind, for whom. */
export type QuotaName = readonly [asker: 'anybody' | 'device' | 'owner' | 'account', kind: string, whom: string];

/** How many are counted together, and for how long. */
export interface Quota {
  readonly name: QuotaName;
  readonly places: number;
  readonly windowMs: number;
}

/** Counts links that are asked for. */
export interface LinkQuota {
  ensureIndexes(): Promise<unknown>;
  /**
   * Takes a place of each. One statement for each, outside of any transaction: of any number at once no more get a place than there are,
   * and nobody waits for another. A place of which nothing came stays taken.
   *
   * @param by - what the link is asked for by: asking again by the same takes no second place
   * @returns whether there was a place of each
   */
  take(quotas: readonly Quota[], by: string): Promise<boolean>;
  /** Lets the transactions that make links of the same quotas come one after the other. */
  meet(quotas: readonly Quota[], session: ClientSession): Promise<void>;
  /** Forgets what counts no more. */
  forgetOld(): Promise<void>;
}

/** What {@link createLinkQuota} is given. */
export interface LinkQuotaDependencies {
  readonly db: Db;
  /** 32 bytes, the same in every replica. */
  readonly secret: Uint8Array;
  readonly now: () => Date;
}

const isDuplicateKey = (error: unknown): boolean => error instanceof MongoServerError && error.code === 11_000;

/** Makes it. */
export function createLinkQuota({ db, secret, now }: LinkQuotaDependencies): LinkQuota {
  const rows = db.collection<QuotaRow>('link-quotas');
  const idOf = (name: QuotaName): string =>
    createHmac('sha256', secret).update(JSON.stringify(name)).digest('base64url');

  const takeOne = async ({ name, places, windowMs }: Quota, by: string): Promise<boolean> => {
    const _id = idOf(name);
    const at = now();
    const forgetAt = new Date(at.getTime() + windowMs);
    const since = new Date(at.getTime() - windowMs);
    const hasPlace = {
      ...{ _id, 'places.by': { $ne: by } },
      $or: [{ [`places.${places - 1}`]: { $exists: false } }, { 'places.0.at': { $lte: since } }],
    };
    const takes = { $push: { places: { $each: [{ by, at }], $slice: -places } }, $set: { forgetAt } };
    const join = async (): Promise<boolean> => (await rows.updateOne(hasPlace, takes)).matchedCount === 1;
    if (await join()) return true;
    try {
      await rows.insertOne({ _id, places: [{ by, at }], forgetAt });
      return true;
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      // It was there, or somebody else was the first.
      return (await join()) || (await rows.countDocuments({ _id, 'places.by': by })) === 1;
    }
  };

  return {
    ensureIndexes: () => rows.createIndexes([{ key: { forgetAt: 1 }, name: 'forget' }]),
    async take(quotas, by) {
      for (const quota of quotas) if (!(await takeOne(quota, by))) return false;
      return true;
    },
    async meet(quotas, session) {
      // In a fixed order, so that two transactions do not wait for each other in a circle.
      for (const _id of quotas.map(({ name }) => idOf(name)).sort())
        await rows.updateOne({ _id }, { $inc: { made: 1 } }, { session });
    },
    async forgetOld() {
      await rows.deleteMany({ forgetAt: { $lte: now() } });
    },
  };
}
