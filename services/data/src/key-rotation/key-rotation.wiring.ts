import { createLeasedWork } from '@causeway/events';

import { recordsCollection } from '../collections/collection.model.ts';
import type { createCollections } from '../collections/collections.wiring.ts';
import { fieldKeyMissing } from '../encryption/encryption.errors.ts';
import { createFieldRoots } from '../encryption/field-roots.ts';
import type { Feature, Ground } from '../feature.ts';
import { keyRotationRoutes } from './key-rotation.routes.ts';
import { createRemoveRetiredKeys } from './remove-retired-keys.ts';
import { createResealChunk } from './reseal-chunk.ts';
import type { RotationDocument } from './rotation.model.ts';
import { rotationsCollection } from './rotation.model.ts';
import { createRotations } from './rotations.ts';
import { createRunRotation } from './run-rotation.ts';

const removeEveryMs = 3_600_000;

/** Gives collections with encrypted fields another key. */
export function createKeyRotation(
  { events, registry, fieldKeys, logger }: Pick<Ground, 'events' | 'registry' | 'fieldKeys' | 'logger'>,
  { definitions }: Pick<ReturnType<typeof createCollections>, 'definitions'>,
) {
  const { db } = events;
  const native = db.collection<RotationDocument>(rotationsCollection);
  const given = { events, registry, definitions: definitions.native };
  const fieldRoots = createFieldRoots(db, fieldKeys);
  const run = createRunRotation({ ...given, resealChunk: createResealChunk({ events, logger }) });
  const rotations = createRotations({
    ...{ events, registry, definitions, fieldKeys, fieldRoots },
  });
  const worker = createLeasedWork<RotationDocument, object>({
    ...{ name: 'rotation', db, leases: 'rotating', orders: { native }, zero: {}, logger },
    can: () => fieldKeys.isThere,
    async work(order, _progress, signal) {
      // Whoever has another root key gives it back, for those who have the right one, before anything is changed.
      if (!(await fieldRoots.areOurs())) throw fieldKeyMissing({ message: 'its root key is not that of the others' });
      await run(order, signal);
    },
    async end({ _id, version }) {
      const end = { $set: { status: 'ended' }, $currentDate: { endedAt: true } } as const;
      await native.updateOne({ _id, version, status: 'running' }, end);
      // Nobody asks for that of a collection that is gone.
      if ((await registry.reload(_id)) === undefined) await native.deleteOne({ _id });
      else logger.info({ collection: _id, key: version }, 'a rotation of a key has ended');
    },
  });
  return {
    ...{ rotations, worker },
    ensureIndexes: () => native.createIndexes([{ key: { status: 1 } }]),
    start: () => worker.start(),
    stop: () => worker.stop(),
    jobs: [
      {
        name: 'remove-retired-keys',
        everyMs: removeEveryMs,
        run: createRemoveRetiredKeys({ ...given, logger }),
      },
    ],
    routes: keyRotationRoutes({
      rotations,
      begin: (rotation) => worker.begin(rotation),
      countOf: (id) => db.collection(recordsCollection(id)).estimatedDocumentCount(),
    }),
  } satisfies Feature;
}
