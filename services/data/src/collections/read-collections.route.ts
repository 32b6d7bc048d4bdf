import { faults } from '@causeway/contracts';
import { defineRoute, etag, isNotModified } from '@causeway/service';
import type { Route } from '@causeway/service';
import type { Collection, Db } from 'mongodb';
import { z } from 'zod';

import { answerCollection, collectionAnswer } from './collection-answer.ts';
import type { DefinitionDocument } from './collection.model.ts';
import { changeAnswer, lastChangeAnswer, listChanges, readChanges } from './show-change.ts';

interface Dependencies {
  readonly db: Db;
  readonly definitions: { readonly native: Collection<DefinitionDocument> };
}

/** A definition, and what is known of changes to it. */
const watchedCollection = collectionAnswer.extend({
  change: changeAnswer.optional().describe('A change that is under way.'),
  lastChange: lastChangeAnswer.optional().describe('How the one before has ended.'),
});

/** The names of the collections that a definition refers to, by id. */
export const targetNames = async (
  definitions: Dependencies['definitions']['native'],
  { definition }: Pick<DefinitionDocument, 'definition'>,
): Promise<ReadonlyMap<string, string>> => {
  const { refersTo } = definition;
  if (refersTo === undefined) return new Map();
  const rows = await definitions.find({ _id: { $in: [...refersTo] } }, { projection: { name: 1 } }).toArray();
  return new Map(rows.map(({ _id, name }) => [_id, name]));
};

/** `GET /v1/collections/{name}` */
export const readCollectionRoute = ({ db, definitions }: Dependencies): Route =>
  defineRoute({
    method: 'get',
    path: '/v1/collections/{name}',
    operationId: 'readCollection',
    tag: 'data',
    summary: 'Read a definition',
    access: 'admin',
    params: z.object({ name: z.string() }),
    requestHeaders: { 'If-None-Match': { description: 'Answers 304 where the revision is this one.' } },
    responses: {
      200: {
        description: 'The definition.',
        schema: watchedCollection,
        headers: { ETag: { description: "The definition's revision." } },
      },
      304: { description: 'It has not changed.' },
    },
    faults: [faults.notFound],
    async handle({ params: { name }, headers }) {
      const document = await definitions.native.findOne({ name });
      if (document === null) throw faults.notFound();
      const own = {
        ETag: etag(document.revision),
        'Cache-Control': 'private, no-cache',
        Vary: 'Authorization, Cookie',
      };
      const changes = await readChanges(db, document._id);
      // A change that has come about is told by the revision; one that is under way, or has not, by nothing else.
      const isToldByRevision = changes.change === undefined && (changes.lastChange?.outcome ?? 'applied') === 'applied';
      if (isToldByRevision && isNotModified(headers['if-none-match'], own.ETag)) return { status: 304, headers: own };
      return {
        status: 200,
        headers: own,
        body: { ...answerCollection(document, await targetNames(definitions.native, document)), ...changes },
      };
    },
  });

/** `GET /v1/collections` */
export const listCollectionsRoute = ({ db, definitions }: Dependencies): Route =>
  defineRoute({
    method: 'get',
    path: '/v1/collections',
    operationId: 'listCollections',
    tag: 'data',
    summary: 'List all definitions',
    access: 'admin',
    responses: {
      200: { description: 'The definitions, by name.', schema: z.object({ items: z.array(watchedCollection) }) },
    },
    async handle() {
      const documents = await definitions.native.find().sort({ name: 1 }).toArray();
      const names = new Map(documents.map(({ _id, name }) => [_id, name]));
      const changes = await listChanges(db);
      const items = documents.map((each) => ({ ...answerCollection(each, names), ...changes.get(each._id) }));
      return { status: 200, body: { items } };
    },
  });
