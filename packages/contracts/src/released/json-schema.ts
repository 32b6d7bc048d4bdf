import { z } from 'zod';

import { schemaUrn, type EventContract, type EventVersion } from '../event-contract.ts';

/** A JSON Schema 2020-12 that is no boolean. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * A version of a contract as JSON Schema, for other languages and for the comparison of releases. Its `$id` is the `dataschema` of
 * its events. It is open as a reader is: an optional property may be added within a version.
 *
 * @param contract - the type, and a sentence about it
 * @param version - one of the contract's
 * @param target - 2020-12, unless it is for what knows draft-07 alone
 * @throws Error where the schema holds what JSON Schema cannot say, such as a transformation
 */
export const jsonSchemaOf = (
  { type, description }: Pick<EventContract, 'type' | 'description'>,
  { version, schema }: EventVersion,
  target: 'draft-2020-12' | 'draft-07' = 'draft-2020-12',
): JsonSchema => {
  const { $schema, ...shape } = z.toJSONSchema(schema, {
    target,
    io: 'output',
    override: ({ zodSchema, jsonSchema }) => {
      const { def } = zodSchema._zod;
      // Zod takes nothing else to come out of a plain object; what is recorded by a newer writer has more.
      if (def.type === 'object' && def.catchall === undefined) delete jsonSchema.additionalProperties;
    },
  });
  return { $schema, $id: schemaUrn({ type, version }), title: `${type} ${version}`, description, ...shape };
};
