import type { Collection } from 'mongodb';
import type { z } from 'zod';

import { showTargets } from '../references/name-targets.ts';
import type { Definition, DefinitionDocument } from './collection.model.ts';
import type { definitionBody } from './definition-body.ts';
import { targetNames } from './read-collections.route.ts';

/**
 * A definition that was stored, as it could be sent.
 *
 * @param name - of the collection
 */
export async function definitionBodyOf(
  definitions: Collection<DefinitionDocument>,
  name: string,
  definition: Definition,
): Promise<z.output<typeof definitionBody> & { readonly collection: string }> {
  const { schema, indexes, rules, fields, expiry, onErase = 'keep', scans = 'refuse' } = definition;
  const names = await targetNames(definitions, { definition });
  return {
    collection: name,
    schema: { ...schema },
    indexes: [...indexes],
    rules: { ...rules },
    ...(fields === undefined ? {} : { fields: { ...showTargets(name, fields, names) } }),
    ...(expiry === undefined ? {} : { expiry: { ...expiry } }),
    onErase,
    scans,
  };
}
