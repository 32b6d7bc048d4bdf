import type { Collection } from 'mongodb';
import { z } from 'zod';

import { storeTargets } from '../references/name-targets.ts';
import { onErase, scans } from './collection-answer.ts';
import type { DefinitionDocument } from './collection.model.ts';
import type { CompiledDefinition } from './parse-definition.ts';
import { parseDefinition } from './parse-definition.ts';

/** A definition as an administrator sends it. */
export const definitionBody = z.strictObject({
  schema: z.record(z.string(), z.unknown()),
  indexes: z.array(z.unknown()).optional().meta({
    description:
      'Up to 20 of `{keys, unique?, where?, weights?, language?}`: `keys` by dotted path 1, -1, `"text"` (one index a collection, with `weights` and a `language`) or `"2dsphere"` (GeoJSON); `where`, a filter that a record has to meet to be in the index.',
  }),
  rules: z.record(z.string(), z.unknown()).optional().meta({
    description:
      'Of `read`, `create`, `update` and `delete`: `"public"`, `"signed-in"`, or conditions of which one holds, which may compare with `{"$auth": "sub"}` and `{"$now": "-24h"}`. `update` may be `{"before", "after"}`, where `after` compares with `{"$before": "owner"}`. `{"project": {"$follow": {"members": {"$auth": "sub"}}}}` asks something of the record that a reference names.',
  }),
  fields: z.record(z.string(), z.unknown()).optional().meta({
    description:
      'By the dotted path of a field: `default` (a value, `{"$auth": "sub"}` or `{"$now": true}`), `readOnly`, `writeOnce`, rules `read` and `write` in the form of those of the collection (to whom the read rule does not let see it the field is missing, in filters too), `reference` (`{"collection": name, "onDelete": "restrict" | "cascade" | "null"}`: its values are ids of records there).',
  }),
  expiry: z.strictObject({ field: z.string() }).optional().meta({
    description:
      'The dotted path of a field that holds a time (`"format": "date-time"`) or null: a record is deleted within a minute after its time, and seen until then.',
  }),
  onErase: onErase.default('keep').meta({
    description: "What becomes of somebody's records when they are erased: kept without whose they were, or deleted.",
  }),
  scans: scans.default('refuse').meta({
    description: 'Whether queries may look at all records once there are many; otherwise they need an index.',
  }),
});

/**
 * Reads a definition.
 *
 * @param name - of the collection
 * @param definitions - those that there are, for the collections that it refers to
 * @throws Fault `invalid-request` naming every fault by JSON pointer
 */
export async function readDefinition(
  name: string,
  body: z.output<typeof definitionBody>,
  definitions: Pick<Collection<DefinitionDocument>, 'findOne'>,
): Promise<CompiledDefinition> {
  const fields =
    body.fields &&
    (await storeTargets(name, body.fields, async (target) => {
      const found = await definitions.findOne({ name: target }, { projection: { _id: 1 } });
      return found?._id;
    }));
  return parseDefinition({ ...body, fields });
}
