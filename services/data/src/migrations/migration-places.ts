import type { ClientSession, Db } from 'mongodb';

import type { Definition } from '../collections/collection.model.ts';

/** Where a migration has got to. Written plainly: it moves with each chunk, in the transaction of the chunk. */
export interface MigrationPlace {
  /** The migration's name. */
  readonly _id: string;
  /** Rises with each move: of two that would go on from the same place, one does. */
  readonly version: number;
  /** The step that is being made, counted from 0. */
  readonly step: number;
  /** The id of the last record that has been dealt with in it. */
  readonly after?: string;
  /** Records that have been looked at in this step. */
  readonly lookedInStep: number;
  /** Records that have been changed or deleted in this step. */
  readonly changedInStep: number;
  readonly looked: number;
  readonly changed: number;
  /** What `$now` means in its filters. */
  readonly begunAt: Date;
  /** What collections were before a step has defined them, by the step; null for what was not there. */
  readonly before: Readonly<Record<string, DefinitionBefore | null>>;
}

/** A definition as it was. */
export interface DefinitionBefore {
  readonly definition: Definition;
}

/** Somebody else is at work on the migration: this process was taken for dead. */
export class PlaceLost extends Error {
  override readonly name = 'PlaceLost';
}

/** The places of all migrations. */
export interface MigrationPlaces {
  find(name: string): Promise<MigrationPlace | null>;
  /** Puts one at its beginning, in the transaction that begins the migration. */
  reset(name: string, before: MigrationPlace['before'], session: ClientSession): Promise<void>;
  /**
   * Moves one on.
   *
   * @param session - of what is done on the way: both come about, or neither
   * @returns where it is then
   * @throws PlaceLost where it is not where it was
   */
  move(from: MigrationPlace, to: Partial<MigrationPlace>, session?: ClientSession): Promise<MigrationPlace>;
}

/** Makes the places of one service. */
export function createMigrationPlaces(db: Db): MigrationPlaces {
  const places = db.collection<MigrationPlace>('migration_places');
  return {
    find: (name) => places.findOne({ _id: name }),
    async reset(name, before, session) {
      const none = { step: 0, lookedInStep: 0, changedInStep: 0, looked: 0, changed: 0, begunAt: new Date(), before };
      const begin = { $set: none, $unset: { after: true }, $inc: { version: 1 } } as const;
      await places.updateOne({ _id: name }, begin, { upsert: true, session });
    },
    async move(from, to, session) {
      const { after, ...rest } = { ...from, ...to };
      const version = from.version + 1;
      const { _id, ...set } = { ...rest, version };
      const update = {
        $set: { ...set, ...(after !== undefined && { after }) },
        ...(after === undefined && { $unset: { after: true } }),
      };
      const held = { _id, version: from.version };
      const { matchedCount } = await places.updateOne(held, update as object, session === undefined ? {} : { session });
      if (matchedCount === 0) throw new PlaceLost('somebody else goes on with this migration');
      return { ...rest, version, ...(after === undefined ? {} : { after }) };
    },
  };
}
