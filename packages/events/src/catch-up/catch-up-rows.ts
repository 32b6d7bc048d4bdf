import type { Db } from 'mongodb';

import type { TopicPartition } from '../kafka/port.ts';

/** Names a catch-up: a handler, and the slot of a producer's log that it goes through. */
export interface CatchUpName extends Readonly<TopicPartition> {
  readonly handler: string;
}

/** A row of `catchups`: how far a new handler has gone through what was published before it was there. */
export interface CatchUpRow {
  readonly _id: CatchUpName;
  /** Who is at it: an assignment of the partition. */
  readonly owner: string;
  /** The next position of the log: everything below has been settled. 0: it has not looked into the log yet. */
  readonly pos: number;
  /** From then on the handler is given what Kafka delivers. */
  readonly finishedAt?: Date;
}

/** The rows of a service's catch-ups. Only the owner that came last may change a row. */
export interface CatchUpRows {
  /** Takes a catch-up over. @returns where it stands; undefined where it is finished */
  take(name: CatchUpName, owner: string): Promise<number | undefined>;
  /** @returns whether it is still ours */
  note(name: CatchUpName, owner: string, pos: number): Promise<boolean>;
  /** @returns whether it is finished now: false where it is not ours any more */
  finish(name: CatchUpName, owner: string, pos: number): Promise<boolean>;
  /** Handlers of which something is not finished. */
  unfinished(handlers: readonly string[]): Promise<readonly string[]>;
}

/** Makes the rows of one service's catch-ups. */
export const createCatchUpRows = (db: Db, now: () => Date): CatchUpRows => {
  const rows = db.collection<CatchUpRow>('catchups');
  // As a whole, and so in one order of its fields.
  const idOf = ({ handler, topic, partition }: CatchUpName): CatchUpName => ({ handler, topic, partition });
  const own = (name: CatchUpName, owner: string) => ({ _id: idOf(name), owner });

  return {
    async take(name, owner) {
      const _id = idOf(name);
      await rows.updateOne({ _id }, { $setOnInsert: { owner, pos: 0 } }, { upsert: true });
      const open = { _id, finishedAt: { $exists: false } };
      const row = await rows.findOneAndUpdate(open, { $set: { owner } }, { returnDocument: 'after' });
      return row?.pos;
    },
    async note(name, owner, pos) {
      return (await rows.updateOne(own(name, owner), { $max: { pos } })).matchedCount > 0;
    },
    async finish(name, owner, pos) {
      // May be said twice: the first answer may have been lost.
      return (await rows.updateOne(own(name, owner), { $set: { pos, finishedAt: now() } })).matchedCount > 0;
    },
    async unfinished(handlers) {
      const open = { '_id.handler': { $in: [...handlers] }, finishedAt: { $exists: false } };
      return rows.distinct('_id.handler', open) as Promise<string[]>;
    },
  };
};
