import { faults } from '@causeway/contracts';
import { defineRoute, etag } from '@causeway/service';
import type { Route } from '@causeway/service';
import type { Collection } from 'mongodb';
import { z } from 'zod';

import { storeTargets } from '../references/name-targets.ts';
import { answerCollection, collectionAnswer, onErase, scans } from './collection-answer.ts';
import type { DefinitionDocument } from './collection.model.ts';
import { definitionBusy, definitionConflict, tooManyCollections } from './collections.errors.ts';
import type { createDefineCollection } from './define-collection.ts';
import { ruleWarning, warnOfRules } from '../queries/plan/rule-warnings.ts';
import { targetNames } from './read-collections.route.ts';
import { isCollectionName, parseDefinition } from './parse-definition.ts';

const headers = {
  ETag: { description: "The definition's revision." },
  'Causeway-Event': { description: 'The id of the event; absent where nothing has changed.' },
};

/** What is answered beside the definition. */
const definedAnswer = collectionAnswer.extend({
  warnings: z.array(ruleWarning).optional().describe('What will be slow or refused once there are many records.'),
});

/** `PUT /v1/collections/{name}` */
export const defineCollectionRoute = ({
  defineCollection,
  definitions,
}: {
  readonly defineCollection: ReturnType<typeof createDefineCollection>;
  readonly definitions: { readonly native: Collection<DefinitionDocument> };
}): Route =>
  defineRoute({
    method: 'put',
    path: '/v1/collections/{name}',
    operationId: 'defineCollection',
    tag: 'data',
    summary: 'Define a collection, or change its definition',
    access: 'admin',
    params: z.object({ name: z.string() }),
    body: z.strictObject({
      schema: z.record(z.string(), z.unknown()),
      indexes: z.array(z.unknown()).optional().meta({
        description:
          'Up to 20 of `{keys, unique?, where?, weights?, language?}`: `keys` by dotted path 1, -1, `"text"` (one index a collection, with `weights` and a `language`) or `"2dsphere"` (GeoJSON); `where`, a filter that a record has to meet to be in the index.',
      }),
      rules: z.record(z.string(), z.unknown()).optional().meta({
        description:
          'Of `read`, `create`, `update` and `delete`: `"public"`, `"signed-in"`, or conditions of which one holds, which may compare with `{"$auth": "sub"}` and `{"$now": "-24h"}`. `update` may be `{"before", "after"}`, where `after` compares with `{"$before": "owner"}`.',
      }),
      fields: z.record(z.string(), z.unknown()).optional().meta({
        description:
          'By the dotted path of a field: `default` (a value, `{"$auth": "sub"}` or `{"$now": true}`), `readOnly`, `writeOnce`, rules `read` and `write` in the form of those of the collection (to whom the read rule does not let see it the field is missing, in filters too), `reference` (`{"collection": name, "onDelete": "restrict" | "cascade" | "null"}`: its values are ids of records there).',
      }),
      onErase: onErase.default('keep').meta({
        description:
          "What becomes of somebody's records when they are erased: kept without whose they were, or deleted.",
      }),
      scans: scans.default('refuse').meta({
        description: 'Whether queries may look at all records once there are many; otherwise they need an index.',
      }),
    }),
    bodyLimitBytes: 262_144,
    requestHeaders: { 'If-Match': { description: 'Only if the definition has this revision.' } },
    responses: {
      200: { description: 'The definition, changed.', schema: definedAnswer, headers },
      201: { description: 'The definition, new.', schema: definedAnswer, headers },
    },
    faults: [definitionConflict, definitionBusy, tooManyCollections, faults.preconditionFailed],
    async handle({ cause, params: { name }, body, ifMatch }) {
      if (!isCollectionName(name)) {
        const message = 'A name begins with a small letter and has up to 63 small letters, digits, - and _.';
        throw faults.invalidRequest({ errors: [{ parameter: 'name', code: 'invalid-name', message }] });
      }
      const fields =
        body.fields &&
        (await storeTargets(name, body.fields, async (target) => {
          const found = await definitions.native.findOne({ name: target }, { projection: { _id: 1 } });
          return found?._id;
        }));
      const definition = parseDefinition({ ...body, fields });
      const warnings = warnOfRules(definition);
      const { document, eventId, isNew } = await defineCollection(cause, { name, definition, ifMatch });
      return {
        status: isNew ? 201 : 200,
        headers: {
          ETag: etag(document.revision),
          'Causeway-Event': eventId,
          Location: isNew ? `/v1/collections/${name}` : undefined,
        },
        body: {
          ...answerCollection(document, await targetNames(definitions.native, document)),
          ...(warnings.length === 0 ? {} : { warnings }),
        },
      };
    },
  });
