import type { Events } from '@causeway/events';
import { serverTime } from '@causeway/events';
import type { Collection } from 'mongodb';

import type { DefinitionDocument } from '../collections/collection.model.ts';
import { recordsCollection } from '../collections/collection.model.ts';
import type { CollectionKeys } from '../encryption/field-keys.ts';
import type { RecordDocument } from '../records/record.model.ts';
import { changeKeys } from './change-keys.ts';
import type { RotationDocument } from './rotation.model.ts';
import { rotationsCollection } from './rotation.model.ts';

/** What {@link createRemoveRetiredKeys} is given. */
export interface RemoveRetiredKeysDependencies {
  readonly events: Pick<Events, 'db'>;
  readonly definitions: Collection<DefinitionDocument>;
  readonly logger: {
    info(fields: Record<string, unknown>, message: string): void;
    warn(fields: Record<string, unknown>, message: string): void;
  };
}

/** For so long what was sealed with a key may still be asked for: by a feed that resumes, from the oplog, or out of a backup of the records alone. */
export const keptDays = 35;
const dayMs = 86_400_000;
/** MongoDB may look at the records of one collection for so long. */
const lookMs = 600_000;

/** When a key that has been replaced is removed. */
export const removedAfter = (retiredAt: Date): Date => new Date(retiredAt.getTime() + keptDays * dayMs);

/**
 * Makes what removes keys that have been replaced long enough ago, and that no record uses.
 *
 * @returns a job
 */
export function createRemoveRetiredKeys({ events, definitions, logger }: RemoveRetiredKeysDependencies) {
  const { db } = events;
  const rotations = db.collection<RotationDocument>(rotationsCollection);

  const overIn = ({ current, versions }: CollectionKeys, now: Date): readonly number[] =>
    versions.flatMap(({ version, retiredAt }) =>
      version !== current && retiredAt !== undefined && removedAfter(retiredAt) <= now ? [version] : [],
    );

  const removeOf = async (id: string, keys: CollectionKeys, now: Date): Promise<void> => {
    const over = overIn(keys, now);
    // Its records are about to change hands; whoever rotates them comes first.
    if (over.length === 0 || (await rotations.findOne({ _id: id, status: 'running' })) !== null) return;
    const records = db.collection<RecordDocument>(recordsCollection(id));
    const used = new Set(
      await records.distinct('sealed.key', { 'sealed.key': { $in: [...over] } }, { maxTimeMS: lookMs }),
    );
    if (used.size > 0) logger.warn({ id, keys: [...used] }, 'records still use keys that have been replaced');
    const unused = over.filter((version) => !used.has(version));
    if (unused.length === 0) return;
    await changeKeys(definitions, id, (current) => ({
      current: current.current,
      versions: current.versions.filter(({ version }) => version === current.current || !unused.includes(version)),
    }));
    logger.info({ id, keys: unused }, 'keys that had been replaced were removed');
  };

  return async (signal: AbortSignal): Promise<void> => {
    const now = await serverTime(db);
    const retired = { 'keys.versions.retiredAt': { $lte: new Date(now.getTime() - keptDays * dayMs) } };
    for (const { _id, keys } of await definitions.find(retired, { projection: { keys: 1 } }).toArray()) {
      signal.throwIfAborted();
      if (keys === undefined) continue;
      // One that takes too long keeps nobody from the others.
      await removeOf(_id, keys, now).catch((error: unknown) =>
        logger.warn({ error, id: _id }, 'it could not be found out whether records use keys that have been replaced'),
      );
    }
  };
}
