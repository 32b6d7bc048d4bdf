import type { Db } from 'mongodb';

/** What MongoDB's primary takes for now: one round trip, and nothing of this process's own clock. */
export const serverTime = async (db: Db): Promise<Date> => {
  const { localTime } = (await db.command({ hello: 1 })) as { readonly localTime: Date };
  return localTime;
};
