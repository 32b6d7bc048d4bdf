import { compareConstraints } from './compare-constraints.ts';
import { compareEnums, compareTypes } from './compare-types.ts';
import type { JsonSchema } from './json-schema.ts';
import {
  asSchema,
  changeAt,
  isSame,
  membersOf,
  resolved,
  type Compare,
  type SchemaChange,
  type Sides,
} from './schema-change.ts';

const textsIn = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];

const joined = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);

const compareProperties: Compare = ({ before, after, path, ...roots }) => {
  const [was, is] = [asSchema(before.properties), asSchema(after.properties)];
  const [wasRequired, isRequired] = [new Set(textsIn(before.required)), new Set(textsIn(after.required))];
  const changes: SchemaChange[] = [];
  for (const name of new Set([...Object.keys(was), ...Object.keys(is)])) {
    const at = joined(path, name);
    if (!(name in is)) {
      // A reader leaves out what it does not know, unless it is told to refuse it.
      changes.push(changeAt(at, 'is gone', { readers: true, log: after.additionalProperties === false }));
    } else if (!(name in was)) {
      if (isRequired.has(name)) changes.push(changeAt(at, 'is new, and required', { log: true }));
      else if (before.additionalProperties === false) {
        changes.push(changeAt(at, 'is new in an object that took no others', { readers: true }));
      } else changes.push(changeAt(at, 'is new, and optional', {}));
    } else {
      if (wasRequired.has(name) && !isRequired.has(name))
        changes.push(changeAt(at, 'has become optional', { readers: true }));
      if (!wasRequired.has(name) && isRequired.has(name))
        changes.push(changeAt(at, 'has become required', { log: true }));
      changes.push(...compare({ ...roots, path: at, before: schemaOf(was[name]), after: schemaOf(is[name]) }));
    }
  }
  return changes;
};

/** `true` and an absent schema take everything, `false` nothing. */
const schemaOf = (value: unknown): JsonSchema => {
  if (value === undefined || value === true) return {};
  return value === false ? { not: {} } : asSchema(value);
};

/** What else than named properties, or counted items, there may be. */
const compareRest = (keyword: string, suffix: string): Compare => {
  return ({ before, after, path, ...roots }) => {
    if (isSame(before[keyword], after[keyword])) return [];
    const at = `${path}${suffix}`;
    if (before[keyword] === false) return [changeAt(at, 'may now be there', { readers: true })];
    if (after[keyword] === false) return [changeAt(at, 'may no longer be there', { log: true })];
    return compare({ ...roots, path: at, before: schemaOf(before[keyword]), after: schemaOf(after[keyword]) });
  };
};

const comparePlaces: Compare = ({ before, after, path, ...roots }) => {
  const [was, is] = [membersOf(before.prefixItems), membersOf(after.prefixItems)];
  if (was.length !== is.length) {
    return [
      changeAt(path, `has another number of places: ${is.length}, and it was ${was.length}`, {
        readers: true,
        log: true,
      }),
    ];
  }
  return was.flatMap((each, index) => {
    const other = is[index] ?? {};
    return compare({ ...roots, path: `${path}[${index}]`, before: each, after: other });
  });
};

/** The forms that a value may take; one, where nothing is said of several. */
const formsOf = (schema: JsonSchema): readonly JsonSchema[] => {
  const forms = membersOf(schema.anyOf ?? schema.oneOf);
  return forms.length === 0 ? [schema] : forms;
};

/** Forms that are on one side alone; two that are left over, one on each side, are one that has changed. */
const compareForms: Compare = ({ before, after, path, ...roots }) => {
  const [was, is] = [formsOf(before), formsOf(after)];
  const gone = was.filter((each) => !is.some((other) => isSame(each, other)));
  const come = is.filter((each) => !was.some((other) => isSame(each, other)));
  const [one, other] = [gone[0], come[0]];
  if (one !== undefined && other !== undefined && gone.length === 1 && come.length === 1) {
    return compare({ ...roots, path, before: one, after: other });
  }
  return [
    ...gone.map((each) => changeAt(path, `no longer takes the form ${nameOf(each)}`, { log: true })),
    ...come.map((each) => changeAt(path, `now also takes the form ${nameOf(each)}`, { readers: true })),
  ];
};

const nameOf = (form: JsonSchema): string => {
  const { type, const: only, enum: values, title } = form;
  return `\`${JSON.stringify(title ?? only ?? values ?? type ?? form).slice(0, 80)}\``;
};

/** A schema that holds itself is compared once. */
const isSeen = ({ before, after, seen }: Sides): boolean => {
  const known = seen.get(before);
  if (known?.has(after) === true) return true;
  if (known === undefined) seen.set(before, new Set([after]));
  else known.add(after);
  return false;
};

const hasForms = (schema: JsonSchema): boolean => schema.anyOf !== undefined || schema.oneOf !== undefined;

const compare: Compare = (sides) => {
  const before = resolved(sides.before, sides.rootBefore);
  const after = resolved(sides.after, sides.rootAfter);
  const own = { ...sides, before, after };
  if (isSame(before, after) || isSeen(own)) return [];
  if (hasForms(before) || hasForms(after)) return compareForms(own);
  const types = compareTypes(own);
  // What is said of numbers says nothing of texts.
  if (types.some(({ breaksReaders, breaksLog }) => breaksReaders && breaksLog)) return types;
  return [
    ...types,
    ...compareEnums(own),
    ...compareProperties(own),
    ...compareRest('additionalProperties', '.*')(own),
    ...compareRest('propertyNames', '.* (names)')(own),
    ...comparePlaces(own),
    ...compareRest('items', '[]')(own),
    ...compareConstraints(own),
  ];
};

/**
 * What has changed between two schemas of the same version of a contract, and what that breaks: what a change does not touch is
 * compatible, and what is not understood is taken to break both.
 *
 * @param before - as it was released
 * @param after - as it is now
 */
export const compareSchemas = (before: JsonSchema, after: JsonSchema): readonly SchemaChange[] =>
  compare({ before, after, path: '', rootBefore: before, rootAfter: after, seen: new Map() });
