import type { Method } from './route.ts';

const parameter = /\{(\w+)\}/g;

/**
 * A path with braces in Express's form: `/v1/data/{collection}` is `/v1/data/:collection`.
 *
 * @param template - as routes declare it
 */
export const expressPath = (template: string): string => template.replaceAll(parameter, ':$1');

/** The names of a template's parameters, in order. */
export const parameterNames = (template: string): string[] =>
  [...template.matchAll(parameter)].map((each) => each[1] ?? '');

const escapePattern = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');

const patternOf = (template: string): RegExp =>
  new RegExp(
    `^${template
      .split(parameter)
      .map((part, index) => (index % 2 === 1 ? '[^/]+' : escapePattern(part)))
      .join('')}$`,
  );

/**
 * What methods a path takes, for `Allow`.
 *
 * @param routes - as declared
 * @returns the methods at a raw path, in capitals; none where there is no such path
 */
export const allowedMethods = (
  routes: readonly { readonly method: Method; readonly path: string }[],
): ((path: string) => readonly string[]) => {
  const paths = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>();
  for (const { method, path } of routes) {
    const entry = paths.get(path) ?? { pattern: patternOf(path), methods: new Set<string>() };
    entry.methods.add(method.toUpperCase());
    if (method === 'get') entry.methods.add('HEAD');
    entry.methods.add('OPTIONS');
    paths.set(path, entry);
  }
  const entries = [...paths.values()];
  return (path) => {
    const methods = new Set<string>();
    for (const entry of entries) if (entry.pattern.test(path)) for (const method of entry.methods) methods.add(method);
    return [...methods].sort();
  };
};
