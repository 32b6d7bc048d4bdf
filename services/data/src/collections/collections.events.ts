import { collectionCreated, collectionDeleted, collectionUpdated } from '@causeway/contracts';
import { draft } from '@causeway/events';
import type { EventDraft } from '@causeway/events';

import type { Definition, DefinitionDocument } from './collection.model.ts';

const dataOf = (collectionId: string, name: string, definition: Definition) => ({
  collectionId,
  name,
  definition: { ...definition },
});

/**
 * What goes along with a definition's event as far as MongoDB, so that every replica has the keys before what is sealed with them, and knows since
 * when its records are shown as they are.
 */
export type DefinitionBeside = Pick<DefinitionDocument, 'keys' | 'readSince'>;

const besideOf = ({ keys, readSince }: DefinitionBeside): DefinitionBeside | undefined =>
  keys === undefined && readSince === undefined
    ? undefined
    : { ...(keys === undefined ? {} : { keys }), ...(readSince === undefined ? {} : { readSince }) };

/** A collection has been defined. */
export const created = (id: string, name: string, definition: Definition, beside: DefinitionBeside): EventDraft =>
  draft(collectionCreated, dataOf(id, name, definition), besideOf(beside));

/** A definition has changed. */
export const updated = (id: string, name: string, definition: Definition, beside: DefinitionBeside): EventDraft =>
  draft(collectionUpdated, dataOf(id, name, definition), besideOf(beside));

/** A collection has been removed. */
export const deleted = ({ _id, name }: DefinitionDocument): EventDraft =>
  draft(collectionDeleted, { collectionId: _id, name });
