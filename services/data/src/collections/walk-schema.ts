import { pointerTo } from '../conditions/located-fault.ts';

/** A JSON Schema, or a part of one, as an object. */
export type SchemaObject = Readonly<Record<string, unknown>>;

/** A part of a schema and where it stands. */
export interface Subschema {
  /** JSON pointer within the whole schema. */
  readonly pointer: string;
  readonly schema: SchemaObject;
  /** Whether it judges the same value as the schema around it, and not a member or an element. */
  readonly inPlace: boolean;
}

interface Position {
  readonly holds: 'schema' | 'list' | 'map';
  readonly inPlace: boolean;
}

/** Where JSON Schema 2020-12 has schemas within schemas (Core §10 and §11). */
const positions: ReadonlyMap<string, Position> = new Map<string, Position>([
  ['not', { holds: 'schema', inPlace: true }],
  ['if', { holds: 'schema', inPlace: true }],
  ['then', { holds: 'schema', inPlace: true }],
  ['else', { holds: 'schema', inPlace: true }],
  ['allOf', { holds: 'list', inPlace: true }],
  ['anyOf', { holds: 'list', inPlace: true }],
  ['oneOf', { holds: 'list', inPlace: true }],
  ['dependentSchemas', { holds: 'map', inPlace: true }],
  ['items', { holds: 'schema', inPlace: false }],
  ['contains', { holds: 'schema', inPlace: false }],
  ['additionalProperties', { holds: 'schema', inPlace: false }],
  ['propertyNames', { holds: 'schema', inPlace: false }],
  ['unevaluatedItems', { holds: 'schema', inPlace: false }],
  ['unevaluatedProperties', { holds: 'schema', inPlace: false }],
  ['prefixItems', { holds: 'list', inPlace: false }],
  ['properties', { holds: 'map', inPlace: false }],
  ['patternProperties', { holds: 'map', inPlace: false }],
  ['$defs', { holds: 'map', inPlace: false }],
]);

/** Whether a keyword's value is a schema, or made of schemas. */
export function holdsSchemas(keyword: string): boolean {
  return positions.has(keyword);
}

/** Whether a value is a JSON object. */
export function isSchemaObject(value: unknown): value is SchemaObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The schemas that stand directly in a schema; `true` and `false` are left out. */
export function subschemasOf(schema: SchemaObject, pointer: string): Subschema[] {
  return Object.entries(schema).flatMap(([keyword, value]) => {
    const position = positions.get(keyword);
    if (position === undefined) return [];
    const at = pointerTo(pointer, keyword);
    return membersOf(position.holds, value, at).flatMap(([memberPointer, member]) =>
      isSchemaObject(member) ? [{ pointer: memberPointer, schema: member, inPlace: position.inPlace }] : [],
    );
  });
}

function membersOf(holds: Position['holds'], value: unknown, pointer: string): [string, unknown][] {
  if (holds === 'schema') return [[pointer, value]];
  if (holds === 'list') {
    return Array.isArray(value) ? value.map((member: unknown, index) => [pointerTo(pointer, index), member]) : [];
  }
  return isSchemaObject(value) ? Object.entries(value).map(([name, member]) => [pointerTo(pointer, name), member]) : [];
}

/**
 * Follows a local reference (`#`, `#/$defs/name`).
 *
 * @returns The schema, `undefined` where there is none.
 */
export function resolveReference(root: SchemaObject, reference: string): SchemaObject | undefined {
  let current: unknown = root;
  for (const token of reference.split('/').slice(1)) {
    const name = decodeToken(token);
    const isThere =
      typeof current === 'object' && current !== null && name !== undefined && Object.hasOwn(current, name);
    if (!isThere) return undefined;
    current = (current as SchemaObject)[name];
  }
  return isSchemaObject(current) ? current : undefined;
}

/** Where a reference within a schema leads, as a pointer into it. */
export const pointerOfReference = (reference: string): string =>
  reference
    .split('/')
    .slice(1)
    .reduce((pointer, token) => pointerTo(pointer, decodeToken(token) ?? token), '');

/** A reference token of a URI fragment (RFC 6901 §6). */
function decodeToken(token: string): string | undefined {
  try {
    return decodeURIComponent(token).replaceAll('~1', '/').replaceAll('~0', '~');
  } catch {
    return undefined;
  }
}
