// A replica in a process of its own that rotates the key of a collection and is killed over it: `rotation-child.ts <database> <collection>
// <moment>`. At the moment `read` it is gone before what it has sealed anew is written, at `written` before its place has moved on.
import process from 'node:process';

import { newEventId } from '@causeway/contracts';
import type { Events, RecordedCollection, RecordedDocument } from '@causeway/events';

import { createCollectionRegistry } from '../collections/collection-registry.ts';
import { createCollections } from '../collections/collections.wiring.ts';
import { createKeyRotation } from '../key-rotation/key-rotation.wiring.ts';
import { openChildGround } from './child-ground.ts';

const [database = '', name = '', moment = ''] = process.argv.slice(2);
const { events: own, logger, fieldKeys } = await openChildGround(database);

let chunks = 0;
const collection: Events['collection'] = <Doc extends RecordedDocument>(
  ...given: Parameters<Events['collection']>
): RecordedCollection<Doc> => {
  const made = own.collection<Doc>(...given);
  return {
    ...made,
    async annotate(annotations) {
      chunks += 1;
      if (chunks === 2 && moment === 'read') process.kill(process.pid, 'SIGKILL');
      await made.annotate(annotations);
      if (chunks === 2) process.kill(process.pid, 'SIGKILL');
    },
  };
};
const events: Events = { ...own, collection };
const registry = createCollectionRegistry({ fieldKeys, events, db: own.db, logger });
const ground = { events, registry, fieldKeys, logger };
const { rotations, worker } = createKeyRotation(ground, createCollections(ground));
const cause = { correlationId: newEventId(), principal: { type: 'app_user', id: 'usr_admin' } } as const;
const { rotation } = await rotations.begin(cause, name);
worker.begin(rotation);
