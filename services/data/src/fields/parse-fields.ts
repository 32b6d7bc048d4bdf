import { schemaAt } from '../collections/schema-at.ts';
import type { SchemaObject } from '../collections/walk-schema.ts';
import { isSchemaObject } from '../collections/walk-schema.ts';
import { fieldsKey, parseFieldPath } from '../conditions/field-path.ts';
import type { LocatedFault, Parsed } from '../conditions/located-fault.ts';
import { pointerTo } from '../conditions/located-fault.ts';
import { parseReference } from '../references/parse-reference.ts';
import { parseRule } from '../rules/parse-rules.ts';
import type { DeclaredField } from './declared-field.ts';
import { parseDefault } from './default-of.ts';

type Options = Omit<DeclaredField, 'path' | 'segments'>;

/** Parses one option of a field; what it gives becomes part of the {@link DeclaredField}. */
type OptionParser = (json: unknown, pointer: string) => Parsed<Options>;

const maxFields = 200;

/** Every option that a field may have: a feature adds its own here. */
const optionParsers: ReadonlyMap<string, OptionParser> = new Map<string, OptionParser>([
  ['default', parseDefault],
  ['encrypted', (json, pointer) => parseFlag(json, pointer, { encrypted: true })],
  ['readOnly', (json, pointer) => parseFlag(json, pointer, { readOnly: true })],
  ['reference', parseReference],
  ['writeOnce', (json, pointer) => parseFlag(json, pointer, { writeOnce: true })],
  ['read', (json, pointer) => parseFieldRule(json, pointer, 'read')],
  ['write', (json, pointer) => parseFieldRule(json, pointer, 'write')],
]);

/**
 * Parses the `fields` of a definition: what is said of single fields, by their dotted paths.
 *
 * @param json - An object of paths and options; undefined for none.
 * @param schema - The definition's, in which each path has to be declared; undefined where it is faulty itself.
 * @param pointer - Where it stands, for the faults.
 */
export function parseFields(
  json: unknown,
  schema: SchemaObject | undefined,
  pointer: string,
): Parsed<readonly DeclaredField[]> {
  const given = json ?? {};
  if (!isSchemaObject(given) || Object.keys(given).length > maxFields) {
    const message = `Give an object of at most ${maxFields} fields, by their dotted paths.`;
    return { ok: false, faults: [{ pointer, code: 'invalid-fields', message }] };
  }
  const parsed = Object.entries(given).map(([path, options]) =>
    parseField(path, options, schema, pointerTo(pointer, path)),
  );
  const faults = parsed.flatMap((each) => (each.ok ? [] : each.faults));
  if (faults.length > 0) return { ok: false, faults };
  return { ok: true, value: parsed.flatMap((each) => (each.ok ? [each.value] : [])) };
}

function parseField(
  path: string,
  json: unknown,
  schema: SchemaObject | undefined,
  pointer: string,
): Parsed<DeclaredField> {
  const segments = parsePath(path, schema, pointer);
  const options = parseOptions(json, pointer);
  const faults = [segments, options].flatMap((parsed) => (parsed.ok ? [] : parsed.faults));
  if (!segments.ok || !options.ok) return { ok: false, faults };
  return { ok: true, value: { path, segments: segments.value, ...options.value } };
}

function parsePath(text: string, schema: SchemaObject | undefined, pointer: string): Parsed<readonly string[]> {
  const parsed = parseFieldPath(text, 'record', pointer);
  if (!parsed.ok) return parsed;
  const [root, ...segments] = parsed.value.segments;
  const fault = (message: string): { ok: false; faults: LocatedFault[] } => ({
    ok: false,
    faults: [{ pointer, code: 'invalid-path', message }],
  });
  if (root !== fieldsKey) return fault(`Leave \`${text}\` out: the service keeps it itself.`);
  if (schema === undefined || schemaAt(schema, segments) !== undefined) return { ok: true, value: segments };
  return fault(
    'Name a field that the schema declares in `properties`, with objects (`"type": "object"`) only on the way to it.',
  );
}

function parseOptions(json: unknown, pointer: string): Parsed<Options> {
  const known = [...optionParsers.keys()].join(', ');
  if (!isSchemaObject(json) || Object.keys(json).length === 0) {
    const message = `Give an object with any of ${known}.`;
    return { ok: false, faults: [{ pointer, code: 'invalid-fields', message }] };
  }
  const parsed = Object.entries(json).map(([name, value]): Parsed<Options> => {
    const at = pointerTo(pointer, name);
    const parse = optionParsers.get(name);
    if (parse !== undefined) return parse(value, at);
    return { ok: false, faults: [{ pointer: at, code: 'unknown-field', message: `A field has ${known}.` }] };
  });
  const faults = parsed.flatMap((each) => (each.ok ? [] : each.faults));
  if (faults.length > 0) return { ok: false, faults };
  return { ok: true, value: Object.assign({}, ...parsed.map((each) => (each.ok ? each.value : {}))) as Options };
}

function parseFlag(json: unknown, pointer: string, options: Options): Parsed<Options> {
  if (json === true) return { ok: true, value: options };
  return { ok: false, faults: [{ pointer, code: 'invalid-option', message: 'Give true, or leave it out.' }] };
}

/** In the form of a collection's rules; an empty list leaves the field to administrators. */
function parseFieldRule(json: unknown, pointer: string, name: 'read' | 'write'): Parsed<Options> {
  const rule = parseRule(json, { pointer });
  return rule.ok ? { ok: true, value: { [name]: rule.value } } : rule;
}
