import { valueAt } from '../../fields/value-at.ts';

type Json = Readonly<Record<string, unknown>>;

/** One field that somebody wants to have another value, or none. */
export interface Edit {
  readonly path: string;
  /** No object, and not null, which a merge patch could not say; undefined where the field is to go. */
  readonly value?: unknown;
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What is left to do for who sees these fields: nothing that is not there can be taken away. */
export const editsOf = (edits: readonly Edit[], seen: Json): readonly Edit[] =>
  edits.filter(({ path, value }) => value !== undefined || valueAt(seen, path.split('.')) !== undefined);

/** As a merge patch. */
export const asMerge = (edits: readonly Edit[]): Json =>
  edits.reduce<Json>((patch, { path, value }) => put(patch, path.split('.'), value ?? null), {});

/** As a JSON patch of what is seen. */
export function asJsonPatch(edits: readonly Edit[], seen: Json): readonly Json[] {
  let fields = seen;
  return edits.flatMap((edit) => {
    const { path, value } = edit;
    const pointer = `/${path.replaceAll('.', '/')}`;
    if (value === undefined) return [{ op: 'remove', path: pointer }];
    const segments = path.split('.');
    const missing = segments
      .slice(0, -1)
      .map((_, index) => segments.slice(0, index + 1))
      .filter((each) => !isObject(valueAt(fields, each)));
    fields = put(fields, segments, value);
    return [
      ...missing.map((each) => ({ op: 'add', path: `/${each.join('/')}`, value: {} })),
      { op: 'add', path: pointer, value },
    ];
  });
}

/** As operators. */
export function asOperators(edits: readonly Edit[]): Json {
  const named = (some: readonly Edit[]): Json =>
    Object.fromEntries(some.map(({ path, value }) => [path, value ?? true]));
  const [sets, unsets] = [
    edits.filter(({ value }) => value !== undefined),
    edits.filter(({ value }) => value === undefined),
  ];
  return { ...(sets.length > 0 ? { $set: named(sets) } : {}), ...(unsets.length > 0 ? { $unset: named(unsets) } : {}) };
}

/** As all fields anew, for who sees these. */
export const asFields = (edits: readonly Edit[], seen: Json): Json =>
  edits.reduce(
    (fields, { path, value }) =>
      value === undefined ? take(fields, path.split('.')) : put(fields, path.split('.'), value),
    seen,
  );

function put(fields: Json, [name = '', ...rest]: readonly string[], value: unknown): Json {
  if (rest.length === 0) return { ...fields, [name]: value };
  const inner = fields[name];
  return { ...fields, [name]: put(isObject(inner) ? inner : {}, rest, value) };
}

function take(fields: Json, [name = '', ...rest]: readonly string[]): Json {
  const { [name]: inner, ...others } = fields;
  if (rest.length === 0) return others;
  return isObject(inner) ? { ...fields, [name]: take(inner, rest) } : fields;
}
