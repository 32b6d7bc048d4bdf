import { collectionCreated, collectionDeleted, collectionUpdated } from '@causeway/contracts';
import { draft } from '@causeway/events';
import type { EventDraft } from '@causeway/events';

import type { Definition, DefinitionDocument } from './collection.model.ts';

const dataOf = (collectionId: string, name: string, definition: Definition) => ({
  collectionId,
  name,
  definition: { ...definition },
});

/** A collection has been defined. */
export const created = (id: string, name: string, definition: Definition): EventDraft =>
  draft(collectionCreated, dataOf(id, name, definition));

/** A definition has changed. */
export const updated = (id: string, name: string, definition: Definition): EventDraft =>
  draft(collectionUpdated, dataOf(id, name, definition));

/** A collection has been removed. */
export const deleted = ({ _id, name }: DefinitionDocument): EventDraft =>
  draft(collectionDeleted, { collectionId: _id, name });
