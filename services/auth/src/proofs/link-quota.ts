import { createHmac } from 'node:crypto';

import type { ClientSession, Db } from 'mongodb';

/** Links that are counted together: more in an hour would only fill somebody's mailbox. */
export const mostAnHour = 5;
const hourMs = 3_600_000;

/** How often links were asked for, of one kind, by one sort of asker, for one address or account. It carries no events: nothing follows from it. */
interface QuotaRow {
  /** An HMAC, which names nobody. */
  readonly _id: string;
  /** The last {@link mostAnHour}. */
  readonly times: readonly Date[];
  /** When none of them counts any more. */
  readonly forgetAt: Date;
}

/** What is counted together: texts that nobody else's counts have, such as who asks, for what kind, for whom. */
export type QuotaName = readonly [asker: 'anybody' | 'owner' | 'account', kind: string, whom: string];

/** Counts links that are asked for. */
export interface LinkQuota {
  ensureIndexes(): Promise<unknown>;
  /**
   * Takes a place of each name, or of none. Of any number at once no more get one than there are: transactions meet at the rows.
   *
   * @param session - of the transaction that makes the link
   * @returns whether there was a place
   */
  take(names: readonly QuotaName[], at: Date, session: ClientSession): Promise<boolean>;
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

/** Makes it. Rows are written only where there is a place: whoever asks beyond that keeps nobody waiting. */
export function createLinkQuota({ db, secret, now }: LinkQuotaDependencies): LinkQuota {
  const rows = db.collection<QuotaRow>('link-quotas');
  const idOf = (name: QuotaName): string =>
    createHmac('sha256', secret).update(JSON.stringify(name)).digest('base64url');
  return {
    ensureIndexes: () => rows.createIndexes([{ key: { forgetAt: 1 }, name: 'forget' }]),
    async take(names, at, session) {
      // In a fixed order, so that two transactions do not wait for each other in a circle.
      const ids = names.map(idOf).sort();
      const since = new Date(at.getTime() - hourMs);
      const known = await rows.find({ _id: { $in: ids } }, { session }).toArray();
      const recent = new Map(known.map(({ _id, times }) => [_id, times.filter((time) => time > since)]));
      if (ids.some((id) => (recent.get(id)?.length ?? 0) >= mostAnHour)) return false;
      for (const _id of ids) {
        const times = [...(recent.get(_id) ?? []), at];
        const update = { $set: { times, forgetAt: new Date(at.getTime() + hourMs) } };
        await rows.updateOne({ _id }, update, { upsert: true, session });
      }
      return true;
    },
    async forgetOld() {
      await rows.deleteMany({ forgetAt: { $lte: now() } });
    },
  };
}
