import { createHash } from 'node:crypto';

import type { Collection } from '../collections/collection-registry.ts';
import { encryptedPaths } from '../encryption/sealed-fields.ts';

/** Names the read rules, and what has to be opened, in cursors: under others, other changes would have been told, or told otherwise. */
export const nameOfRule = ({ source, fields, follows }: Collection): string =>
  createHash('sha256')
    .update(JSON.stringify(source.rules.read ?? null))
    .update(fieldRulesOf(source, fields))
    .update(follows.read.map(({ target }) => target).join())
    .update(encryptedPaths(fields).toSorted().join())
    .digest('base64url')
    .slice(0, 12);

/** Nothing where there are none, so that cursors of before stay good. */
const fieldRulesOf = (source: Collection['source'], fields: Collection['fields']): string =>
  fields
    .filter(({ read }) => read !== undefined)
    .map(({ path }) => JSON.stringify([path, (source.fields?.[path] as { readonly read?: unknown }).read]))
    .toSorted()
    .join();
