import type { definitionBodyOf } from '../../collections/show-definition.ts';
import type { TrialBody } from './asked-trial.ts';

type Shown = Awaited<ReturnType<typeof definitionBodyOf>>;

type Named = Readonly<Record<string, unknown>>;

/** Takes away what is asked to be null, as a merge patch does. */
const merged = (there: Named, asked: Named): Named =>
  Object.fromEntries(
    Object.entries({ ...there, ...asked }).filter(([name]) => !Object.hasOwn(asked, name) || asked[name] !== null),
  );

/**
 * The definition that there would be.
 *
 * @param present - as it could be sent
 */
export function definitionWith(present: Shown, { rules = {}, fields = {} }: Pick<TrialBody, 'rules' | 'fields'>) {
  const { collection: _name, ...body } = present;
  const there = present.fields ?? {};
  const names = [...new Set([...Object.keys(there), ...Object.keys(fields)])];
  const declared = names
    .map((path) => {
      const own = Object.hasOwn(there, path) ? (there[path] as Named) : {};
      const asked = Object.hasOwn(fields, path) ? (fields[path] ?? {}) : {};
      return [path, merged(own, asked)] as const;
    })
    // Of a field of which nothing is said any more nothing is to be said.
    .filter(([path, options]) => Object.keys(options).length > 0 || !Object.hasOwn(there, path));
  return {
    ...body,
    rules: merged(present.rules ?? {}, rules),
    fields: Object.fromEntries(declared),
  };
}
