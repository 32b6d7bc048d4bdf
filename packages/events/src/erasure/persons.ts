import type { ClientSession, Db } from 'mongodb';

/** The name of the collection that tells who has been erased. */
const persons = 'persons';

/** A row of `persons`. It stays for good: the id alone, which names nobody any more. */
interface PersonRow {
  readonly _id: string;
  /** How often something of the person came into being. Counted so that two transactions about one person meet here. */
  readonly entered?: number;
  readonly erasedAt?: Date;
}

/** The one place where a service looks before something of a person comes into being. */
export interface Persons {
  /**
   * Asks whether something of a person may come into being, in the transaction that makes it. It writes, so that of an erasure and a
   * creation at once one fails and is made anew (in two snapshots, neither would see the other).
   *
   * @returns false where the person is erased: make nothing
   */
  enter(personId: string, session: ClientSession): Promise<boolean>;
  /** Lets nothing of a person come into being from now on, for good; in the transaction that says so. */
  close(personId: string, at: Date, session: ClientSession): Promise<void>;
  /** Whether a person is erased, as far as is committed: for who only reads. */
  isErased(personId: string): Promise<boolean>;
}

/** Makes the {@link Persons} of one service. */
export const createPersons = (db: Db): Persons => {
  const rows = db.collection<PersonRow>(persons);
  return {
    async enter(personId, session) {
      const row = await rows.findOneAndUpdate(
        { _id: personId },
        { $inc: { entered: 1 } },
        { upsert: true, returnDocument: 'after', session },
      );
      return row?.erasedAt === undefined;
    },
    async close(personId, at, session) {
      await rows.updateOne({ _id: personId }, { $set: { erasedAt: at } }, { upsert: true, session });
    },
    isErased: async (personId) =>
      (await rows.findOne({ _id: personId, erasedAt: { $exists: true } }, { projection: { _id: 1 } })) !== null,
  };
};
