import { changeAt, isAnnotation, isSame, type Compare } from './schema-change.ts';

/** Bounds: a higher one allows more, or less. */
const upper = new Set(['maxLength', 'maximum', 'exclusiveMaximum', 'maxItems', 'maxProperties', 'maxContains']);
const lower = new Set(['minLength', 'minimum', 'exclusiveMinimum', 'minItems', 'minProperties', 'minContains']);

/** Each allows less than its absence does; of two that differ neither is known to allow more. */
const conditions = new Set(['pattern', 'format', 'multipleOf', 'contentEncoding', 'contentMediaType', 'contentSchema']);

/** What is compared elsewhere. */
const structural = new Set([
  ...['type', 'enum', 'const', 'properties', 'required', 'additionalProperties', 'propertyNames', 'prefixItems'],
  ...['items', 'anyOf', 'oneOf', '$ref', '$defs', 'definitions'],
]);

/** Zod says of every integer that it is one that a double can hold: no bound of anybody's. */
const boundOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Math.abs(value) < Number.MAX_SAFE_INTEGER ? value : undefined;

const shown = (value: unknown): string => (value === undefined ? 'not set' : `\`${JSON.stringify(value)}\``);

/** Whether a bound lets less through than it did, or more; undefined where it does not differ. */
const moved = (keyword: string, was: unknown, is: unknown): 'tighter' | 'looser' | undefined => {
  const [from, to] = [boundOf(was), boundOf(is)];
  if (from === to) return undefined;
  if (from === undefined) return 'tighter';
  if (to === undefined) return 'looser';
  return to < from === upper.has(keyword) ? 'tighter' : 'looser';
};

/** What has become of bounds, patterns and everything else that holds a value to something. */
export const compareConstraints: Compare = ({ before, after, path }) => {
  const keywords = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keywords].flatMap((keyword) => {
    const [was, is] = [before[keyword], after[keyword]];
    if (structural.has(keyword) || isAnnotation(keyword) || isSame(was, is)) return [];
    if (upper.has(keyword) || lower.has(keyword)) {
      const way = moved(keyword, was, is);
      if (way === undefined) return [];
      const words = `is bound ${way === 'tighter' ? 'more tightly' : 'more loosely'}: \`${keyword}\` is ${shown(boundOf(is))}, and was ${shown(boundOf(was))}`;
      return [changeAt(path, words, { log: way === 'tighter', readers: way === 'looser' })];
    }
    if (conditions.has(keyword)) {
      const words = `has another \`${keyword}\`: ${shown(is)}, and it was ${shown(was)}`;
      return [changeAt(path, words, { log: is !== undefined, readers: was !== undefined })];
    }
    return [changeAt(path, `differs in \`${keyword}\`, which cannot be compared`, { log: true, readers: true })];
  });
};
