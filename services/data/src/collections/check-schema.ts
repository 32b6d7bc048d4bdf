import { RE2JS } from 're2js';
import type { LocatedFault } from '../conditions/located-fault.ts';
import { pointerTo } from '../conditions/located-fault.ts';
import { reservedNames } from '../conditions/field-path.ts';
import { checkPlainValue, isDangerousName } from '../conditions/plain-value.ts';
import type { SchemaObject, Subschema } from './walk-schema.ts';
import { isSchemaObject, pointerOfReference, resolveReference, subschemasOf } from './walk-schema.ts';

/** Bounds of a collection's schema. */
export const schemaLimits = { sizeBytes: 65_536, depth: 32, subschemas: 1_000, patternLength: 200, uniqueItems: 1_000 };

/** The dialect, as `$schema` may name it. */
export const dialect = 'https://json-schema.org/draft/2020-12/schema';

/**
 * Formats that are asserted, each checked in linear time or on short texts only. Others are refused: a format that nobody
 * checks is a promise that nobody keeps.
 */
export const formats = [
  'date',
  'time',
  'date-time',
  'duration',
  'email',
  'hostname',
  'ipv4',
  'ipv6',
  'uri',
  'uri-reference',
  'uuid',
  'json-pointer',
] as const;

const formatNames: ReadonlySet<unknown> = new Set(formats);

/** Keywords that change what a reference means; without them every reference is a pointer into this schema. */
const scopeKeywords = ['$anchor', '$dynamicAnchor', '$dynamicRef', '$vocabulary', '$recursiveRef', '$recursiveAnchor'];

/**
 * Checks what JSON Schema allows and a collection does not: names that are reserved or out of reach, references to
 * elsewhere or without an end, patterns that are not RE2, formats that are not asserted, and sizes.
 *
 * @param schema - The client's schema.
 * @returns All faults, by pointer into the schema; none where Ajv may look at it.
 */
export function checkSchema(schema: SchemaObject): LocatedFault[] {
  if (Buffer.byteLength(JSON.stringify(schema)) > schemaLimits.sizeBytes) {
    return [{ pointer: '', code: 'too-large', message: `Send a schema of at most ${schemaLimits.sizeBytes} bytes.` }];
  }
  const faults: LocatedFault[] = [];
  const ofRecord = schemasInPlace(schema);
  let subschemas = 0;
  const visit = (each: Subschema, depth: number): void => {
    subschemas += 1;
    if (depth > schemaLimits.depth || subschemas > schemaLimits.subschemas) {
      const message = `Nest at most ${schemaLimits.depth} levels and ${schemaLimits.subschemas} schemas.`;
      faults.push({ pointer: each.pointer, code: 'too-large', message });
      return;
    }
    faults.push(...checkKeywords(each, schema, ofRecord));
    for (const inner of subschemasOf(each.schema, each.pointer)) visit(inner, depth + 1);
  };
  visit({ pointer: '', schema, inPlace: true }, 0);
  if (faults.length > 0) return faults;
  const loop = findLoop(schema);
  return loop === undefined
    ? []
    : [{ pointer: loop, code: 'endless-reference', message: 'Leave out the reference that leads back to itself.' }];
}

function checkKeywords(
  { pointer, schema }: Subschema,
  root: SchemaObject,
  ofRecord: ReadonlySet<SchemaObject>,
): LocatedFault[] {
  const fault = (keyword: string, code: string, message: string): LocatedFault => ({
    pointer: pointerTo(pointer, keyword),
    code,
    message,
  });
  const faults: LocatedFault[] = [];
  for (const keyword of scopeKeywords) {
    if (Object.hasOwn(schema, keyword))
      faults.push(fault(keyword, 'unsupported-keyword', `Use $ref and $defs instead.`));
  }
  if (Object.hasOwn(schema, '$id') && schema !== root) {
    faults.push(fault('$id', 'unsupported-keyword', 'Give $id at the top only, and refer by #/$defs/….'));
  } else if (Object.hasOwn(schema, '$id') && Object.hasOwn(schema, '$ref')) {
    // As a stored object the two are a DBRef, which comes back as something else than it was.
    faults.push(fault('$id', 'unsupported-keyword', 'Leave $id out, or move $ref into allOf.'));
  }
  if (Object.hasOwn(schema, '$schema') && (schema !== root || schema.$schema !== dialect)) {
    faults.push(fault('$schema', 'unsupported-dialect', `Use ${dialect}, at the top, or leave it out.`));
  }
  if (Object.hasOwn(schema, '$ref') && !isLocal(root, schema.$ref)) {
    faults.push(fault('$ref', 'invalid-reference', 'Refer to a schema within this one, such as #/$defs/address.'));
  }
  if (Object.hasOwn(schema, 'format') && !formatNames.has(schema.format)) {
    faults.push(fault('format', 'unknown-format', `Use one of ${formats.join(', ')}.`));
  }
  if (schema.uniqueItems === true && !(Number(schema.maxItems) <= schemaLimits.uniqueItems)) {
    const message = `Give maxItems, at most ${schemaLimits.uniqueItems}, beside uniqueItems: each pair is compared.`;
    faults.push(fault('uniqueItems', 'unbounded', message));
  }
  for (const keyword of ['const', 'enum', 'default', 'examples']) {
    if (!Object.hasOwn(schema, keyword)) continue;
    faults.push(...checkPlainValue(schema[keyword], pointerTo(pointer, keyword), { depth: 16, nodes: 5_000 }));
  }
  return [...faults, ...checkPatterns(schema, pointer), ...checkNames(schema, pointer, ofRecord.has(schema))];
}

function isLocal(root: SchemaObject, reference: unknown): boolean {
  if (typeof reference !== 'string') return false;
  if (reference !== '#' && !reference.startsWith('#/')) return false;
  return resolveReference(root, reference) !== undefined;
}

function checkPatterns(schema: SchemaObject, pointer: string): LocatedFault[] {
  const patterns: [string, string][] = [];
  if (typeof schema.pattern === 'string') patterns.push([pointerTo(pointer, 'pattern'), schema.pattern]);
  if (isSchemaObject(schema.patternProperties)) {
    const at = pointerTo(pointer, 'patternProperties');
    for (const pattern of Object.keys(schema.patternProperties)) patterns.push([pointerTo(at, pattern), pattern]);
  }
  return patterns.flatMap(([at, pattern]) => {
    if (pattern.length > schemaLimits.patternLength) {
      const message = `Use a pattern of at most ${schemaLimits.patternLength} characters.`;
      return [{ pointer: at, code: 'pattern-too-long', message }];
    }
    const message = 'Use RE2 syntax, without look-around and back-references.';
    return isRe2(pattern) ? [] : [{ pointer: at, code: 'invalid-pattern', message }];
  });
}

function isRe2(pattern: string): boolean {
  try {
    RE2JS.compile(pattern);
    return true;
  } catch {
    return false;
  }
}

function checkNames(schema: SchemaObject, pointer: string, isOfRecord: boolean): LocatedFault[] {
  const faults: LocatedFault[] = [];
  for (const keyword of ['properties', 'dependentSchemas', 'dependentRequired']) {
    const members = schema[keyword];
    if (!isSchemaObject(members)) continue;
    for (const name of Object.keys(members)) {
      const reason = refuseName(name, isOfRecord);
      if (reason === undefined) continue;
      faults.push({ pointer: pointerTo(pointerTo(pointer, keyword), name), code: 'reserved-name', message: reason });
    }
  }
  return faults;
}

function refuseName(name: string, isOfRecord: boolean): string | undefined {
  if (isOfRecord && reservedNames.has(name)) return `Rename the field: the service keeps \`${name}\` itself.`;
  if (/^[_$]/.test(name)) return 'Rename the field: names do not begin with `_` or `$`.';
  if (name === '' || name.includes('.') || name.includes('\0') || !name.isWellFormed()) {
    return 'Rename the field: names are not empty, are valid text and hold no `.`.';
  }
  return isDangerousName(name) ? `Rename the field: \`${name}\` is not allowed.` : undefined;
}

/** A schema, and the reference that has led to it. */
interface Followed extends Subschema {
  readonly by?: string;
}

/** The schemas that judge the same value as a schema: what it refers to, and what stands in its keywords in place. */
function inPlaceOf(root: SchemaObject, { schema, pointer }: Subschema): Followed[] {
  const reference = typeof schema.$ref === 'string' ? schema.$ref : undefined;
  const target = reference === undefined ? undefined : resolveReference(root, reference);
  const referred =
    reference === undefined || target === undefined
      ? []
      : [{ pointer: pointerOfReference(reference), schema: target, inPlace: true, by: pointerTo(pointer, '$ref') }];
  return [...referred, ...subschemasOf(schema, pointer).filter((inner) => inner.inPlace)];
}

/** All schemas that judge the record itself, and not a member or an element. */
function schemasInPlace(root: SchemaObject): ReadonlySet<SchemaObject> {
  const found = new Set<SchemaObject>();
  const waiting: Subschema[] = [{ pointer: '', schema: root, inPlace: true }];
  for (let each = waiting.pop(); each !== undefined; each = waiting.pop()) {
    if (found.has(each.schema)) continue;
    found.add(each.schema);
    waiting.push(...inPlaceOf(root, each));
  }
  return found;
}

/**
 * Finds a schema that refers to itself for the same value, by way of references and the keywords that judge in place: it
 * would be followed for ever. Recursion into members and elements ends with the record.
 *
 * @returns A pointer to the reference that closes the loop, or to a schema on it.
 */
function findLoop(root: SchemaObject): string | undefined {
  const state = new Map<SchemaObject, 'open' | 'done'>();
  const follow = (each: Followed): string | undefined => {
    const seen = state.get(each.schema);
    if (seen !== undefined) return seen === 'open' ? (each.by ?? each.pointer) : undefined;
    state.set(each.schema, 'open');
    for (const next of inPlaceOf(root, each)) {
      const loop = follow(next);
      if (loop !== undefined) return loop;
    }
    state.set(each.schema, 'done');
    return undefined;
  };
  const everywhere = (each: Subschema): string | undefined => {
    const loop = follow(each);
    if (loop !== undefined) return loop;
    for (const inner of subschemasOf(each.schema, each.pointer)) {
      const deeper = everywhere(inner);
      if (deeper !== undefined) return deeper;
    }
    return undefined;
  };
  return everywhere({ pointer: '', schema: root, inPlace: true });
}
