import type { Feature, Ground } from '../feature.ts';
import type { DefinitionDocument } from './collection.model.ts';
import { definitionsCollection, ensureDefinitionIndexes } from './collection.model.ts';
import { createDefineCollection } from './define-collection.ts';
import { defineCollectionRoute } from './define-collection.route.ts';
import { listCollectionsRoute, readCollectionRoute } from './read-collections.route.ts';
import { createRemoveCollection } from './remove-collection.ts';
import { removeCollectionRoute } from './remove-collection.route.ts';

/** What administrators define. */
export function createCollections({ events, registry }: Pick<Ground, 'events' | 'registry'>) {
  const definitions = events.collection<DefinitionDocument>(definitionsCollection, { thing: 'collection' });
  return {
    ensureIndexes: () => ensureDefinitionIndexes(events.db),
    routes: [
      defineCollectionRoute({
        defineCollection: createDefineCollection({ events, definitions, registry }),
        definitions,
      }),
      readCollectionRoute({ definitions }),
      listCollectionsRoute({ definitions }),
      removeCollectionRoute({ removeCollection: createRemoveCollection({ events, definitions, registry }) }),
    ],
  } satisfies Feature;
}
