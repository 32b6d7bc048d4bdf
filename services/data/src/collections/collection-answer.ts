import { z } from 'zod';

import { showTargets } from '../references/name-targets.ts';
import type { DefinitionDocument } from './collection.model.ts';

/** `keep`: a record stays, without whose it was. `delete`: it goes. */
export const onErase = z.enum(['keep', 'delete']);

/** `refuse`: a query of a large collection needs an index. `allow`: it may look at all records. */
export const scans = z.enum(['refuse', 'allow']);

/** How a field stands in an index. */
const keyKind = z.union([z.literal(1), z.literal(-1), z.literal('text'), z.literal('2dsphere')]);

/** What tells an index from others, as administrators see it. */
export const indexAnswer = z.object({
  keys: z.record(z.string(), keyKind),
  where: z.record(z.string(), z.unknown()).optional().describe('What a record has to meet to be in it.'),
});

const wholeIndexAnswer = indexAnswer.extend({
  unique: z.boolean().optional(),
  weights: z.record(z.string(), z.int()).optional().describe('How much a word in each field counts, 1 if not said.'),
  language: z.string().optional().describe('By whose rules words are cut to their stems; as they are if not said.'),
});

/** A definition as administrators see it. */
export const collectionAnswer = z.object({
  id: z.string(),
  name: z.string(),
  schema: z.record(z.string(), z.unknown()),
  indexes: z.array(wholeIndexAnswer),
  rules: z.record(z.string(), z.unknown()),
  fields: z.record(z.string(), z.unknown()).optional().describe('What is said of single fields.'),
  expiry: z
    .object({ field: z.string() })
    .optional()
    .describe('The field that holds the time until which a record is kept.'),
  onErase: onErase.meta({ description: "What becomes of somebody's records when they are erased." }),
  scans: scans.meta({ description: 'Whether queries may look at all records of a large collection.' }),
  revision: z.int(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});

/**
 * Shows a definition.
 *
 * @param names - of the collections that it refers to, by id
 */
export const answerCollection = (
  { _id, name, definition, revision, createdAt, updatedAt }: DefinitionDocument,
  names: ReadonlyMap<string, string>,
): z.input<typeof collectionAnswer> => ({
  id: _id,
  name,
  schema: definition.schema,
  indexes: definition.indexes.map((index) => ({ ...index })),
  rules: definition.rules,
  ...(definition.fields === undefined ? {} : { fields: showTargets(name, definition.fields, names) }),
  ...(definition.expiry === undefined ? {} : { expiry: { ...definition.expiry } }),
  onErase: definition.onErase ?? 'keep',
  scans: definition.scans ?? 'refuse',
  revision,
  createdAt: createdAt.toISOString(),
  updatedAt: updatedAt.toISOString(),
});
