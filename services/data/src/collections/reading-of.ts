import { encryptedPaths } from '../encryption/sealed-fields.ts';
import type { CompiledDefinition } from './parse-definition.ts';

/** All of a definition that decides what of its records is shown to whom, and what has to be opened for that, as text. */
export const readingOf = ({
  source,
  fields,
  follows,
}: Pick<CompiledDefinition, 'source' | 'fields' | 'follows'>): string =>
  [
    JSON.stringify(source.rules.read ?? null),
    fieldRulesOf(source, fields),
    follows.read.map(({ target }) => target).join(),
    encryptedPaths(fields).toSorted().join(),
  ].join('');

/** Nothing where there are none, so that cursors of before stay good. */
const fieldRulesOf = (source: CompiledDefinition['source'], fields: CompiledDefinition['fields']): string =>
  fields
    .filter(({ read }) => read !== undefined)
    .map(({ path }) => JSON.stringify([path, (source.fields?.[path] as { readonly read?: unknown }).read]))
    .toSorted()
    .join();
