import { faults } from '@causeway/contracts';
import { defineRoute, etag } from '@causeway/service';
import type { Route } from '@causeway/service';
import type { Collection, Db } from 'mongodb';
import { z } from 'zod';

import type { BackgroundWork } from './background-work.ts';
import { answerCollection, collectionAnswer, indexAnswer } from './collection-answer.ts';
import type { DefinitionDocument } from './collection.model.ts';
import { definitionBusy, definitionConflict, tooManyCollections } from './collections.errors.ts';
import { mostCounted } from './conflict-tally.ts';
import type { createDefineCollection } from './define-collection.ts';
import { definitionBody, readDefinition } from './definition-body.ts';
import { warningsOf } from './definition-warnings.ts';
import { waitOf } from './prefer.ts';
import { changeAnswer, readChanges } from './show-change.ts';
import type { createTryDefinition } from './try-definition.ts';
import type { RuleWarning } from '../queries/plan/rule-warnings.ts';
import { ruleWarning } from '../queries/plan/rule-warnings.ts';
import { targetNames } from './read-collections.route.ts';
import { isCollectionName } from './parse-definition.ts';

const headers = {
  ETag: { description: "The definition's revision." },
  'Causeway-Event': { description: 'The id of the event; absent where nothing has changed.' },
};

/** What is answered beside the definition. */
const definedAnswer = collectionAnswer.extend({
  warnings: z.array(ruleWarning).optional().describe('What will be slow or refused once there are many records.'),
});

/** What is answered where the change goes on. */
const changingAnswer = definedAnswer.extend({ change: changeAnswer.optional() });

/** What is answered where nothing is to be done. */
const triedAnswer = z.object({
  dryRun: z.literal(true),
  isNew: z.boolean(),
  wouldChange: z.boolean().describe('Whether the definition is another than the one that there is.'),
  records: z.int().describe('About how many there are.'),
  complete: z.boolean().describe('Whether there was time to look at all of it.'),
  conflicts: z
    .array(
      z.object({
        pointer: z.string().describe('What of the definition is broken: `/schema`, `/indexes/0`.'),
        detail: z.string(),
        count: z.int().describe(`How many examples there are, counted up to ${mostCounted}.`),
        examples: z.array(z.record(z.string(), z.unknown())),
      }),
    )
    .describe('Why it would be refused; nothing where it would be taken.'),
  expired: z
    .object({
      count: z.int().describe(`How many there are, counted up to ${mostCounted}.`),
      examples: z.array(z.object({ id: z.string() })),
    })
    .optional()
    .describe('Records that would be deleted: by the field that would hold it, their time is over.'),
  indexes: z.object({ built: z.array(indexAnswer), dropped: z.array(indexAnswer) }),
  warnings: z.array(ruleWarning),
});

/** `PUT /v1/collections/{name}` */
export const defineCollectionRoute = ({
  defineCollection,
  tryDefinition,
  definitions,
  db,
  background,
}: {
  readonly defineCollection: ReturnType<typeof createDefineCollection>;
  readonly tryDefinition: ReturnType<typeof createTryDefinition>;
  readonly definitions: { readonly native: Collection<DefinitionDocument> };
  readonly db: Db;
  readonly background: BackgroundWork;
}): Route => {
  /** It is under way, here or at another replica. */
  const answerChanging = async (name: string, warnings: readonly RuleWarning[]) => {
    const document = await definitions.native.findOne({ name });
    if (document === null) throw faults.conflict();
    const { change } = await readChanges(db, document._id);
    const shown = answerCollection(document, await targetNames(definitions.native, document));
    return {
      status: 202 as const,
      headers: { ETag: etag(document.revision), Location: `/v1/collections/${name}`, 'Retry-After': 2 },
      body: { ...shown, ...(change && { change }), ...(warnings.length === 0 ? {} : { warnings }) },
    };
  };

  return defineRoute({
    method: 'put',
    path: '/v1/collections/{name}',
    operationId: 'defineCollection',
    tag: 'data',
    summary: 'Define a collection, or change its definition',
    description:
      'A change is held against the records there. Where that takes longer than 20 s, or than `Prefer` says, it goes on: 202, and `GET` of the same ' +
      'address tells how far it is, and how it has ended; the same call joins it. With `dryRun=true` everything is looked at, and nothing is done.',
    access: 'admin',
    params: z.object({ name: z.string() }),
    query: z.strictObject({
      dryRun: z.enum(['true', 'false']).optional().describe('Whether only to say what would become of it.'),
    }),
    body: definitionBody,
    bodyLimitBytes: 262_144,
    requestHeaders: {
      'If-Match': { description: 'Only if the definition has this revision.' },
      Prefer: {
        description: '`respond-async` answers as soon as a change is under way, `wait=5` after 5 s (RFC 7240).',
      },
    },
    responses: {
      200: {
        description: 'The definition, changed; or what would become of it.',
        schema: z.union([definedAnswer, triedAnswer]),
        headers,
      },
      201: { description: 'The definition, new.', schema: definedAnswer, headers },
      202: {
        description: 'The definition as it is; the change goes on.',
        schema: changingAnswer,
        headers: {
          ETag: headers.ETag,
          Location: { description: 'Where its progress is told.' },
          'Retry-After': { description: 'Seconds after which to look.' },
        },
      },
    },
    faults: [definitionConflict, definitionBusy, tooManyCollections, faults.preconditionFailed],
    async handle({ cause, params: { name }, query, body, ifMatch, headers: { prefer } }) {
      if (!isCollectionName(name)) {
        const message = 'A name begins with a small letter and has up to 63 small letters, digits, - and _.';
        throw faults.invalidRequest({ errors: [{ parameter: 'name', code: 'invalid-name', message }] });
      }
      const definition = await readDefinition(name, body, definitions.native);
      const warnings = await warningsOf(definition, definitions.native);
      if (query.dryRun === 'true') {
        const tried = await tryDefinition({ name, definition, ifMatch });
        return { status: 200, body: { dryRun: true, ...tried, warnings } };
      }
      const begun = Promise.withResolvers<undefined>();
      const answered = new AbortController();
      const onBegun = (): void => begun.resolve(undefined);
      const work = defineCollection(cause, { name, definition, ifMatch, onBegun, patience: answered.signal });
      const defined = await background.inTime(work, begun.promise, waitOf(prefer)).finally(() => answered.abort());
      if (defined === undefined) return await answerChanging(name, warnings);
      const { document, eventId, isNew } = defined;
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
};
