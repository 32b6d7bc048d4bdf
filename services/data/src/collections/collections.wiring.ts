import type { Feature, Ground } from '../feature.ts';
import { createBackgroundWork } from './background-work.ts';
import type { DefinitionDocument } from './collection.model.ts';
import { definitionsCollection, ensureDefinitionIndexes } from './collection.model.ts';
import { createDefineCollection } from './define-collection.ts';
import { defineCollectionRoute } from './define-collection.route.ts';
import { listCollectionsRoute, readCollectionRoute } from './read-collections.route.ts';
import { createRemoveCollection } from './remove-collection.ts';
import { createTryDefinition } from './try-definition.ts';
import { removeCollectionRoute } from './remove-collection.route.ts';

/** What administrators define. */
export function createCollections({
  events,
  registry,
  fieldKeys,
  logger,
}: Pick<Ground, 'events' | 'registry' | 'fieldKeys' | 'logger'>) {
  const definitions = events.collection<DefinitionDocument>(definitionsCollection, { thing: 'collection' });
  const { db } = events;
  const background = createBackgroundWork({ logger });
  const { stopping } = background;
  const given = { events, definitions, registry, fieldKeys };
  const defineCollection = createDefineCollection({ ...given, stopping });
  const removeCollection = createRemoveCollection(given);
  return {
    ...{ definitions, defineCollection, removeCollection },
    stop: () => background.stop(),
    ensureIndexes: () => ensureDefinitionIndexes(events.db),
    routes: [
      defineCollectionRoute({
        tryDefinition: createTryDefinition(given),
        ...{ defineCollection, definitions, db, background },
      }),
      readCollectionRoute({ db, definitions }),
      listCollectionsRoute({ db, definitions }),
      removeCollectionRoute({ removeCollection }),
    ],
  } satisfies Feature;
}
