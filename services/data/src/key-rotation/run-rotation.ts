import { setTimeout as delay } from 'node:timers/promises';

import { serverTime } from '@causeway/events';
import type { Events } from '@causeway/events';
import type { Collection } from 'mongodb';

import type { DefinitionDocument } from '../collections/collection.model.ts';
import type { CollectionRegistry } from '../collections/collection-registry.ts';
import { lockDefinition } from '../collections/definition-lock.ts';
import { demandDefinition } from '../collections/records-store.ts';
import { changeKeys } from './change-keys.ts';
import type { createResealChunk } from './reseal-chunk.ts';
import type { RotationDocument } from './rotation.model.ts';
import { rotationsCollection } from './rotation.model.ts';

/** What {@link createRunRotation} is given. */
export interface RunRotationDependencies {
  readonly events: Pick<Events, 'db'>;
  readonly definitions: Collection<DefinitionDocument>;
  readonly registry: Pick<CollectionRegistry, 'reload'>;
  readonly resealChunk: ReturnType<typeof createResealChunk>;
}

/**
 * From here on each replica has heard of a committed key, or reads the definition anew before it reads records: what a process keeps of commits is
 * at most 2 s old (`positions/freshness.ts`), and a beacon comes each second.
 */
const heardAfterMs = 4_000;

/**
 * Makes what rotates the key of a collection from where the rotation has got to; each step may be taken twice.
 *
 * @returns it rejects where `signal` ends it, where somebody else goes on with it, and where something fails that passes
 */
export function createRunRotation({ events, definitions, registry, resealChunk }: RunRotationDependencies) {
  const { db } = events;
  const rotations = db.collection<RotationDocument>(rotationsCollection);

  const untilHeard = async ({ _id, version }: RotationDocument, signal: AbortSignal): Promise<void> => {
    // Its row has been read, so that its transaction is committed by now.
    await rotations.updateOne(
      { _id, version, announcedAt: { $exists: false } },
      { $currentDate: { announcedAt: true } },
    );
    const row = await rotations.findOne({ _id, version });
    const from = row?.announcedAt?.getTime();
    if (from === undefined) return;
    const waitMs = from + heardAfterMs - (await serverTime(db)).getTime();
    if (waitMs > 0) await delay(waitMs, undefined, { signal });
  };

  /** From its end on nobody writes what is sealed with another key: MongoDB refuses who has not read the definition since. */
  const makeCurrent = async ({ _id: id, version }: RotationDocument): Promise<void> => {
    const lock = await lockDefinition(db, id, undefined);
    try {
      await changeKeys(definitions, id, (keys) =>
        keys.current >= version ? undefined : { ...keys, current: version },
      );
      await lock.ask();
      await demandDefinition(db, id, lock.def);
      await rotations.updateOne({ _id: id, version, stage: 'announced' }, { $set: { stage: 'resealing' } });
    } finally {
      await lock.release();
      await registry.reload(id);
    }
  };

  const retireOthers = async ({ _id: id, version }: RotationDocument): Promise<void> => {
    const retiredAt = await serverTime(db);
    await changeKeys(definitions, id, (keys) => ({
      current: keys.current,
      versions: keys.versions.map((each) =>
        each.version >= version || each.retiredAt !== undefined ? each : { ...each, retiredAt },
      ),
    }));
  };

  return async ({ _id: id }: Pick<RotationDocument, '_id'>, signal: AbortSignal): Promise<void> => {
    let place = await rotations.findOne({ _id: id });
    while (place?.status === 'running' && place.stage !== 'done') {
      signal.throwIfAborted();
      // As it is now: it may be changed meanwhile, or removed.
      const collection = await registry.reload(id);
      if (collection === undefined) return;
      if (place.stage === 'announced') {
        await untilHeard(place, signal);
        await makeCurrent(place);
        place = await rotations.findOne({ _id: id });
      } else {
        place = await resealChunk(collection, place);
      }
    }
    if (place !== null) await retireOthers(place);
  };
}
