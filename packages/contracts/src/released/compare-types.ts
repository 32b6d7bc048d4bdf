import { changeAt, isSame, type Compare } from './schema-change.ts';
import type { JsonSchema } from './json-schema.ts';

const typesOf = ({ type }: JsonSchema): readonly string[] | undefined => {
  if (typeof type === 'string') return [type];
  return Array.isArray(type) ? type.filter((each) => typeof each === 'string') : undefined;
};

/** Whether every value of a type is one of these types. */
const covers = (types: readonly string[], type: string): boolean =>
  types.includes(type) || (type === 'integer' && types.includes('number'));

const nounOf = (type: string): string => (/^[aio]/.test(type) ? `an ${type}` : `a ${type}`);

const named = (types: readonly string[]): string =>
  types.map((type) => (type === 'null' ? type : nounOf(type))).join(' or ');

/** What has become of the types that a value may have. */
export const compareTypes: Compare = ({ before, after, path }) => {
  const [was, is] = [typesOf(before), typesOf(after)];
  if (was === undefined && is === undefined) return [];
  if (was === undefined) return [changeAt(path, `takes only ${named(is ?? [])} now`, { log: true })];
  if (is === undefined) return [changeAt(path, `is no longer ${named(was)} alone`, { readers: true })];
  const log = !was.every((type) => covers(is, type));
  const readers = !is.every((type) => covers(was, type));
  return log || readers ? [changeAt(path, `is now ${named(is)}, and was ${named(was)}`, { log, readers })] : [];
};

const valuesOf = (schema: JsonSchema): readonly unknown[] | undefined => {
  if ('const' in schema) return [schema.const];
  return Array.isArray(schema.enum) ? (schema.enum as unknown[]) : undefined;
};

const listed = (values: readonly unknown[]): string => values.map((each) => `\`${String(each)}\``).join(', ');

/** What has become of the values that are named. */
export const compareEnums: Compare = ({ before, after, path }) => {
  const [was, is] = [valuesOf(before), valuesOf(after)];
  if (was === undefined && is === undefined) return [];
  if (was === undefined) return [changeAt(path, `takes only ${listed(is ?? [])} now`, { log: true })];
  if (is === undefined) return [changeAt(path, `is no longer one of ${listed(was)}`, { readers: true })];
  const come = is.filter((each) => !was.some((other) => isSame(each, other)));
  const gone = was.filter((each) => !is.some((other) => isSame(each, other)));
  return [
    ...(come.length === 0 ? [] : [changeAt(path, `may now be ${listed(come)}`, { readers: true })]),
    ...(gone.length === 0 ? [] : [changeAt(path, `may no longer be ${listed(gone)}`, { log: true })]),
  ];
};
