import { z } from 'zod';

import type { DefinitionDocument } from './collection.model.ts';

/** `keep`: a record stays, without whose it was. `delete`: it goes. */
export const onErase = z.enum(['keep', 'delete']);

/** `refuse`: a query of a large collection needs an index. `allow`: it may look at all records. */
export const scans = z.enum(['refuse', 'allow']);

/** A definition as administrators see it. */
export const collectionAnswer = z.object({
  id: z.string(),
  name: z.string(),
  schema: z.record(z.string(), z.unknown()),
  indexes: z.array(
    z.object({
      keys: z.record(z.string(), z.union([z.literal(1), z.literal(-1)])),
      unique: z.boolean().optional(),
    }),
  ),
  rules: z.record(z.string(), z.unknown()),
  fields: z.record(z.string(), z.unknown()).optional().describe('What is said of single fields.'),
  onErase: onErase.meta({ description: "What becomes of somebody's records when they are erased." }),
  scans: scans.meta({ description: 'Whether queries may look at all records of a large collection.' }),
  revision: z.int(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});

/** Shows a definition. */
export const answerCollection = ({
  _id,
  name,
  definition,
  revision,
  createdAt,
  updatedAt,
}: DefinitionDocument): z.input<typeof collectionAnswer> => ({
  id: _id,
  name,
  schema: definition.schema,
  indexes: definition.indexes.map(({ keys, unique }) => ({ keys, ...(unique === undefined ? {} : { unique }) })),
  rules: definition.rules,
  ...(definition.fields === undefined ? {} : { fields: definition.fields }),
  onErase: definition.onErase ?? 'keep',
  scans: definition.scans ?? 'refuse',
  revision,
  createdAt: createdAt.toISOString(),
  updatedAt: updatedAt.toISOString(),
});
