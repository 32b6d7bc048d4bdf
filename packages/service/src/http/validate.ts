import { faults, jsonPointer, type FaultLocation } from '@causeway/contracts';
import { z } from 'zod';

const formats: Readonly<Record<string, string>> = {
  email: 'an e-mail address',
  url: 'a URL',
  uuid: 'a UUID',
  datetime: 'a time such as 2026-01-31T12:00:00.000Z',
  date: 'a date such as 2026-01-31',
  ipv4: 'an IPv4 address',
  ipv6: 'an IPv6 address',
  json_string: 'JSON',
};

const types: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
  null: 'null',
};

const measure = (origin: string, limit: number | bigint): string => {
  if (origin === 'string') return `${limit} ${limit === 1 ? 'character' : 'characters'}`;
  if (origin === 'array' || origin === 'set') return `${limit} ${limit === 1 ? 'entry' : 'entries'}`;
  return String(limit);
};

type RawIssue = Parameters<z.core.$ZodErrorMap>[0];

/** Sentences for a person; a schema's own message goes before these. */
const sentence = (issue: RawIssue): string | undefined => {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'This is required.' : `Must be ${types[issue.expected] ?? issue.expected}.`;
    case 'too_small':
      return `Must be at least ${measure(issue.origin, issue.minimum)}${issue.origin === 'string' || issue.origin === 'array' ? ' long' : ''}.`;
    case 'too_big':
      return `Must be at most ${measure(issue.origin, issue.maximum)}${issue.origin === 'string' || issue.origin === 'array' ? ' long' : ''}.`;
    case 'invalid_format':
      return formats[issue.format] === undefined
        ? 'Does not have the expected form.'
        : `Must be ${formats[issue.format]}.`;
    case 'invalid_value':
      return issue.input === undefined
        ? 'This is required.'
        : `Must be one of: ${issue.values.map(String).join(', ')}.`;
    case 'not_multiple_of':
      return `Must be a multiple of ${issue.divisor}.`;
    case 'invalid_union':
      return 'Has none of the allowed shapes.';
    default:
      return undefined;
  }
};

const codes: Readonly<Record<string, string>> = {
  invalid_type: 'invalid-type',
  too_small: 'too-small',
  too_big: 'too-big',
  invalid_format: 'invalid-format',
  invalid_value: 'invalid-value',
  not_multiple_of: 'invalid-value',
  invalid_union: 'invalid-shape',
  invalid_key: 'invalid-name',
  invalid_element: 'invalid-entry',
  custom: 'invalid-value',
};

const valueAt = (root: unknown, path: readonly PropertyKey[]): unknown => {
  let value = root;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
};

const codeOf = (issue: z.core.$ZodIssue, root: unknown): string => {
  const missing = issue.code === 'invalid_type' || issue.code === 'invalid_value';
  return missing && valueAt(root, issue.path) === undefined ? 'required' : (codes[issue.code] ?? 'invalid-value');
};

/** Where an issue is, in a body or among named parameters. */
type Locate = (path: readonly PropertyKey[]) => Pick<FaultLocation, 'pointer' | 'parameter'>;

const inBody: Locate = (path) => ({ pointer: jsonPointer(path) });
const inParameters: Locate = (path) => ({ parameter: String(path[0] ?? '') });

/** Most faults that one answer lists. */
const mostErrors = 50;

const locationsOf = (error: z.ZodError, root: unknown, locate: Locate): FaultLocation[] =>
  error.issues
    .flatMap((issue): FaultLocation[] =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => ({
            ...locate([...issue.path, key]),
            code: 'unknown-field',
            message: locate === inBody ? 'There is no such field.' : 'There is no such parameter.',
          }))
        : [{ ...locate(issue.path), code: codeOf(issue, root), message: issue.message }],
    )
    .slice(0, mostErrors);

/** A schema that refuses unknown fields at its top, unless it says itself what becomes of them. */
export const strictAtTop = (schema: z.ZodType): z.ZodType =>
  schema instanceof z.ZodObject && schema.def.catchall === undefined ? schema.strict() : schema;

const check = (schema: z.ZodType, value: unknown, locate: Locate): unknown => {
  const result = schema.safeParse(value, { error: sentence });
  if (result.success) return result.data;
  throw faults.invalidRequest({ errors: locationsOf(result.error, value, locate) });
};

/**
 * Checks a body against its schema.
 *
 * @throws Fault `invalid-request` with a JSON pointer for each fault; never with a value
 */
export const validateBody = (schema: z.ZodType, value: unknown): unknown => check(schema, value, inBody);

/**
 * Checks the query against its schema.
 *
 * @throws Fault `invalid-request` with the name of each parameter
 */
export const validateQuery = (schema: z.ZodType, value: unknown): unknown => check(schema, value, inParameters);

/**
 * Checks path parameters against their schema: nothing can be found under a name that has not the form of one.
 *
 * @throws Fault `not-found`
 */
export const validateParams = (schema: z.ZodType, value: unknown): unknown => {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw faults.notFound();
};
