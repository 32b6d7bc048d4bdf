import { faults, newEventId } from '@causeway/contracts';
import type { ClientSession, Db } from 'mongodb';
import { setTimeout as delay } from 'node:timers/promises';

import { isDuplicateKey } from '../recording/errors.ts';
import { HeldUp } from '../recording/held-up.ts';
import { limits } from '../recording/limits.ts';

/** The name of the collection that tells who has been erased. */
const persons = 'persons';

/** A row of `persons`. It stays for good: the id alone, which names nobody any more. */
interface PersonRow {
  readonly _id: string;
  /** How often something of the person came into being. Counted so that two transactions about one person meet here. */
  readonly entered?: number;
  /** What is being written on their behalf outside of a transaction. */
  readonly writing?: readonly Writing[];
  readonly erasedAt?: Date;
}

interface Writing {
  readonly id: string;
  /** By the database server: whoever has said no more by then has died. */
  readonly until: Date;
}

/** So long, in milliseconds, an erasure waits for a write on somebody's behalf: as it does, at the end of a token, for a call. */
export const writingMs = 60_000;

/** A look at who writes still; then it is for the erasure to come back. */
const lookMs = 3_000;

/** The one place where a service looks before something of a person comes into being. */
export interface Persons {
  /**
   * Asks whether something of a person may come into being, in the transaction that makes it. It writes, so that of an erasure and a
   * creation at once one fails and is made anew (in two snapshots, neither would see the other).
   *
   * @returns false where the person is erased: make nothing
   */
  enter(personId: string, session: ClientSession): Promise<boolean>;
  /**
   * The same as {@link Persons.enter} for several at once, in a fixed order, so that two transactions about the same people do not wait for
   * each other in a circle.
   *
   * @returns those who are erased: make nothing of theirs
   */
  enterAll(personIds: readonly string[], session: ClientSession): Promise<ReadonlySet<string>>;
  /**
   * Writes something of a person outside of a transaction: in many statements, or for longer than one may take. An erasure that begins
   * meanwhile waits for its end, for a minute, before it looks for what there is for the last time.
   *
   * @returns false where the person is erased: then `work` is not called
   */
  writing(personId: string, work: () => Promise<void>): Promise<boolean>;
  /**
   * Waits until nothing is being written on behalf of a person who is erased.
   *
   * @throws Fault `unavailable` where it takes longer than 3 s
   */
  written(personId: string): Promise<void>;
  /** Lets nothing of a person come into being from now on, for good; in the transaction that says so. */
  close(personId: string, at: Date, session: ClientSession): Promise<void>;
  /** Whether a person is erased, as far as is committed: for who only reads. */
  isErased(personId: string): Promise<boolean>;
  /** Those of several who are erased, as {@link Persons.isErased}. */
  erasedOf(personIds: readonly string[]): Promise<ReadonlySet<string>>;
}

/** Makes the {@link Persons} of one service. */
export const createPersons = (db: Db): Persons => {
  const rows = db.collection<PersonRow>(persons);

  const erasedOf = async (personIds: readonly string[], session?: ClientSession): Promise<ReadonlySet<string>> => {
    const options = { projection: { _id: 1 }, ...(session !== undefined && { session }) };
    const erased = rows.find({ _id: { $in: [...new Set(personIds)] }, erasedAt: { $exists: true } }, options);
    return new Set((await erased.toArray()).map(({ _id }) => _id));
  };
  const isErased: Persons['isErased'] = async (personId) => (await erasedOf([personId])).has(personId);

  /** @returns false where the person is erased */
  const begin = async (_id: string, id: string): Promise<boolean> => {
    // Those whose process has died go on the way.
    const others = {
      $filter: { input: { $ifNull: ['$writing', []] }, cond: { $gt: ['$$this.until', '$$NOW'] } },
    };
    const writing = { $concatArrays: [others, [{ id, until: { $add: ['$$NOW', writingMs] } }]] };
    for (let tries = 1; ; tries += 1) {
      try {
        await rows.updateOne({ _id, erasedAt: { $exists: false } }, [{ $set: { writing } }], { upsert: true });
        return true;
      } catch (error) {
        // The row is there: of somebody who is erased, or somebody else has just made it.
        if (!isDuplicateKey(error) || tries >= limits.tries) throw error;
        if (await isErased(_id)) return false;
      }
    }
  };

  return {
    async enter(personId, session) {
      const row = await rows.findOneAndUpdate(
        { _id: personId },
        { $inc: { entered: 1 } },
        { upsert: true, returnDocument: 'after', session },
      );
      return row?.erasedAt === undefined;
    },
    async enterAll(personIds, session) {
      const ids = [...new Set(personIds)].sort();
      if (ids.length === 0) return new Set();
      await rows.bulkWrite(
        ids.map((_id) => ({ updateOne: { filter: { _id }, update: { $inc: { entered: 1 } }, upsert: true } })),
        { session },
      );
      return erasedOf(ids, session);
    },
    async close(personId, at, session) {
      await rows.updateOne({ _id: personId }, { $set: { erasedAt: at } }, { upsert: true, session });
    },
    async writing(personId, work) {
      const id = newEventId();
      if (!(await begin(personId, id))) return false;
      try {
        await work();
      } finally {
        // Where this fails, its minute ends it.
        await rows.updateOne({ _id: personId }, { $pull: { writing: { id } } }).catch(() => undefined);
      }
      return true;
    },
    async written(personId) {
      const deadline = performance.now() + lookMs;
      const each = { $map: { input: { $ifNull: ['$writing', []] }, in: { $gt: ['$$this.until', '$$NOW'] } } };
      const somebody = { _id: personId, $expr: { $anyElementTrue: [each] } };
      while ((await rows.findOne(somebody, { projection: { _id: 1 } })) !== null) {
        if (performance.now() > deadline) {
          const message = 'something is still being written on behalf of somebody who is erased';
          throw faults.unavailable({ message, retryAfterS: 5, cause: new HeldUp(message) });
        }
        await delay(50 + Math.random() * 50);
      }
    },
    isErased,
    erasedOf: (personIds) => erasedOf(personIds),
  };
};
