import { faults } from '@causeway/contracts';
import { defineRoute, etag, isNotModified } from '@causeway/service';
import type { Route } from '@causeway/service';
import type { Collection } from 'mongodb';
import { z } from 'zod';

import { answerCollection, collectionAnswer } from './collection-answer.ts';
import type { DefinitionDocument } from './collection.model.ts';

interface Dependencies {
  readonly definitions: { readonly native: Collection<DefinitionDocument> };
}

/** The names of the collections that a definition refers to, by id. */
export const targetNames = async (
  definitions: Dependencies['definitions']['native'],
  { definition }: DefinitionDocument,
): Promise<ReadonlyMap<string, string>> => {
  const { refersTo } = definition;
  if (refersTo === undefined) return new Map();
  const rows = await definitions.find({ _id: { $in: [...refersTo] } }, { projection: { name: 1 } }).toArray();
  return new Map(rows.map(({ _id, name }) => [_id, name]));
};

/** `GET /v1/collections/{name}` */
export const readCollectionRoute = ({ definitions }: Dependencies): Route =>
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
        schema: collectionAnswer,
        headers: { ETag: { description: "The definition's revision." } },
      },
      304: { description: 'It has not changed.' },
    },
    faults: [faults.notFound],
    async handle({ params: { name }, headers }) {
      const document = await definitions.native.findOne({ name });
      if (document === null) throw faults.notFound();
      const ETag = etag(document.revision);
      if (isNotModified(headers['if-none-match'], ETag)) return { status: 304, headers: { ETag } };
      return {
        status: 200,
        headers: { ETag },
        body: answerCollection(document, await targetNames(definitions.native, document)),
      };
    },
  });

/** `GET /v1/collections` */
export const listCollectionsRoute = ({ definitions }: Dependencies): Route =>
  defineRoute({
    method: 'get',
    path: '/v1/collections',
    operationId: 'listCollections',
    tag: 'data',
    summary: 'List all definitions',
    access: 'admin',
    responses: {
      200: { description: 'The definitions, by name.', schema: z.object({ items: z.array(collectionAnswer) }) },
    },
    async handle() {
      const documents = await definitions.native.find().sort({ name: 1 }).toArray();
      const names = new Map(documents.map(({ _id, name }) => [_id, name]));
      return { status: 200, body: { items: documents.map((each) => answerCollection(each, names)) } };
    },
  });
