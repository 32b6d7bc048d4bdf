import { catalogue, faults, services, versionsOf } from '@causeway/contracts';
import { jsonSchemaOf, readReleased, type KeptVersions } from '@causeway/contracts/released';
import { defineRoute, type Route } from '@causeway/service';
import type { Logger } from '@causeway/telemetry';
import { z } from 'zod';

import { answerDocument, jsonDocument, type JsonDocument } from '../docs/json-document.ts';
import { asyncApiOf } from './asyncapi.ts';

/** What the calls about contracts are given. */
export interface ContractRoutesOptions {
  readonly publicUrl: string;
  readonly publicBrokers: readonly string[] | undefined;
  readonly logger: Logger;
}

const schemaJson = 'application/schema+json';

const etag = { ETag: { description: 'Changes with the document.' } };
const unchanged = { description: 'It has not changed since.' };

const asyncApi = (document: JsonDocument): Route =>
  defineRoute({
    method: 'get',
    path: '/asyncapi.json',
    operationId: 'getAsyncApiDocument',
    tag: 'docs',
    summary: 'The events, for subscribers of your own',
    description:
      'The topics in Kafka, the events in them with their headers, data and examples. What becomes of an event here is told by `/v1/events/{id}/effects`.',
    access: 'anonymous',
    responses: {
      200: {
        description: 'AsyncAPI 3.0.',
        schema: { type: 'object', required: ['asyncapi', 'info', 'channels', 'operations'] },
        headers: etag,
      },
      304: unchanged,
    },
    handle: ({ headers }) => answerDocument(document, headers['if-none-match']),
  });

const listSchema = {
  type: 'object',
  required: ['items'],
  properties: {
    items: {
      type: 'array',
      items: {
        type: 'object',
        required: ['type', 'version', 'dataschema', 'href'],
        properties: {
          type: { type: 'string' },
          version: { type: 'integer' },
          dataschema: { type: 'string', description: 'As the events of that version have it.' },
          href: { type: 'string', description: 'Where its schema is.' },
          description: { type: 'string' },
        },
      },
    },
  },
} as const;

const listSchemas = (document: JsonDocument): Route =>
  defineRoute({
    method: 'get',
    path: '/schemas',
    operationId: 'listEventSchemas',
    tag: 'docs',
    summary: 'The types of events, each in all its versions',
    access: 'anonymous',
    responses: { 200: { description: 'The types.', schema: listSchema, headers: etag }, 304: unchanged },
    handle: ({ headers }) => answerDocument(document, headers['if-none-match']),
  });

const readSchema = (documents: ReadonlyMap<string, JsonDocument>): Route =>
  defineRoute({
    method: 'get',
    path: '/schemas/{type}/{version}',
    operationId: 'readEventSchema',
    tag: 'docs',
    summary: 'The data of an event, as JSON Schema',
    description: 'Within a version only optional properties are added: what reads it leaves out what it does not know.',
    access: 'anonymous',
    params: z.object({ type: z.string().max(100), version: z.string().regex(/^[1-9]\d{0,8}$/) }),
    responses: {
      200: {
        description: 'JSON Schema 2020-12.',
        schema: { type: 'object', required: ['$schema', '$id'] },
        mediaTypes: [schemaJson, 'application/json'],
        headers: etag,
      },
      304: unchanged,
    },
    handle: ({ params: { type, version }, headers, mediaType }) => {
      const document = documents.get(`${type}/${version}`);
      if (document === undefined) throw faults.notFound();
      return answerDocument(document, headers['if-none-match'], { 'Content-Type': mediaType, Vary: 'Accept' });
    },
  });

/** Without them the document has no examples; it is no reason not to start. */
const samplesOf = async (logger: Logger): Promise<KeptVersions> => {
  try {
    return await readReleased();
  } catch (error) {
    logger.warn({ error }, 'released contracts cannot be read: /asyncapi.json shows no examples');
    return new Map();
  }
};

/**
 * The contracts of events for everybody: as an AsyncAPI document, and each as JSON Schema.
 *
 * @param options - what may be told of this installation
 */
export const contractRoutes = async (options: ContractRoutesOptions): Promise<readonly Route[]> => {
  const { publicUrl, publicBrokers: brokers, logger } = options;
  const versions = catalogue.flatMap((contract) => versionsOf(contract).map((version) => ({ contract, version })));
  const schemas = versions.map(({ contract, version }) => ({
    type: contract.type,
    version: version.version,
    description: contract.description,
    schema: jsonSchemaOf(contract, version),
  }));
  const items = schemas.map(({ type, version, description, schema }) => ({
    ...{ type, version, dataschema: schema.$id, href: `/schemas/${type}/${version}`, description },
  }));
  const kept = await samplesOf(logger);
  return [
    asyncApi(jsonDocument(asyncApiOf({ catalogue, services, kept, publicUrl, brokers }))),
    listSchemas(jsonDocument({ items })),
    readSchema(new Map(schemas.map(({ type, version, schema }) => [`${type}/${version}`, jsonDocument(schema)]))),
  ];
};
