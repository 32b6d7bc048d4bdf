import type { ErrorObject, ValidateFunction } from 'ajv/dist/2020.js';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { fullFormats } from 'ajv-formats/dist/formats.js';
import { RE2JS } from 're2js';
import type { LocatedFault, Parsed } from '../conditions/located-fault.ts';
import { pointerTo } from '../conditions/located-fault.ts';
import { checkSchema, dialect, formats } from './check-schema.ts';
import { uniqueItems } from './unique-items.ts';
import type { SchemaObject } from './walk-schema.ts';
import { isSchemaObject } from './walk-schema.ts';

/** A collection's schema, ready to judge records. */
export interface RecordSchema {
  /** As the client gave it. */
  readonly source: SchemaObject;
  /**
   * Judges a record's fields.
   *
   * @returns All faults, at most 100, by JSON pointer into the fields; none where they hold.
   */
  readonly validate: (fields: unknown) => LocatedFault[];
}

const maxFaults = 100;

/**
 * Compiles a collection's schema: JSON Schema 2020-12, closed at the top unless it says otherwise, its patterns run by RE2
 * in linear time, its formats asserted.
 *
 * @param json - As `JSON.parse` gave it.
 * @param pointer - Where the schema stands, for the faults.
 */
export function compileRecordSchema(json: unknown, pointer: string): Parsed<RecordSchema> {
  const faulty = (faults: readonly LocatedFault[]): Parsed<RecordSchema> => ({
    ok: false,
    faults: faults.map((fault) => ({ ...fault, pointer: `${pointer}${fault.pointer}` })),
  });
  if (!isSchemaObject(json)) {
    return faulty([{ pointer: '', code: 'invalid-schema', message: 'Give a JSON Schema as an object.' }]);
  }
  const type = json.type ?? 'object';
  if (type !== 'object') {
    return faulty([{ pointer: '/type', code: 'invalid-schema', message: 'Use "object": records are objects.' }]);
  }
  const faults = checkSchema(json);
  if (faults.length > 0) return faulty(faults);
  const ajv = newAjv();
  if (ajv.validateSchema(json) !== true) return faulty((ajv.errors ?? []).slice(0, maxFaults).map(toFault));
  try {
    const validate = ajv.compile(closed(json));
    return { ok: true, value: { source: json, validate: (fields) => faultsOf(validate, fields) } };
  } catch (error) {
    // In strict mode Ajv throws for what the meta-schema lets pass: a keyword that it does not know, a bad combination.
    const reason = error instanceof Error ? error.message : 'the schema cannot be compiled';
    return faulty([{ pointer: '', code: 'invalid-schema', message: `Correct the schema: ${reason}.` }]);
  }
}

/** Of its own for each schema: an instance keeps what it has compiled, and forgets it with the definition. */
function newAjv(): Ajv2020 {
  const ajv = new Ajv2020({
    allErrors: true,
    strict: true,
    strictTypes: false,
    strictTuples: false,
    logger: false,
    ownProperties: true,
    code: { regExp: Object.assign((pattern: string) => RE2JS.compile(pattern), { code: 'RE2JS.compile' }) },
  });
  ajv.removeKeyword('uniqueItems').addKeyword(uniqueItems);
  for (const name of formats) ajv.addFormat(name, fullFormats[name]);
  return ajv;
}

/**
 * The schema that is compiled: an object, and without other fields than those that it names. Where it is put together
 * from several, `unevaluatedProperties` sees what each of them names; `additionalProperties` does not, but is faster.
 */
function closed(schema: SchemaObject): SchemaObject {
  const { $id: _id, ...rest } = schema;
  const isOpen = Object.hasOwn(rest, 'additionalProperties') || Object.hasOwn(rest, 'unevaluatedProperties');
  const isComposed = ['$ref', 'allOf', 'anyOf', 'oneOf', 'if', 'dependentSchemas'].some((name) =>
    Object.hasOwn(rest, name),
  );
  const closing = isOpen ? {} : isComposed ? { unevaluatedProperties: false } : { additionalProperties: false };
  return { $schema: dialect, ...rest, type: 'object', ...closing };
}

function faultsOf(validate: ValidateFunction, fields: unknown): LocatedFault[] {
  if (validate(fields)) return [];
  return (validate.errors ?? []).slice(0, maxFaults).map(toFault);
}

/** Tells an Ajv error as a fault: at the member that is missing or too many, in a sentence that begins with a capital. */
function toFault(error: ErrorObject): LocatedFault {
  const params = error.params as Readonly<Record<string, unknown>>;
  switch (error.keyword) {
    case 'required': {
      const name = String(params.missingProperty);
      return { pointer: pointerTo(error.instancePath, name), code: 'required', message: `Give \`${name}\`.` };
    }
    case 'additionalProperties':
    case 'unevaluatedProperties': {
      const name = String(params.additionalProperty ?? params.unevaluatedProperty);
      const message = `Leave \`${name}\` out: the schema does not have it.`;
      return { pointer: pointerTo(error.instancePath, name), code: 'unknown-field', message };
    }
    case 'enum':
    case 'const': {
      const allowed = JSON.stringify(params.allowedValues ?? params.allowedValue).slice(0, 200);
      return {
        pointer: error.instancePath,
        code: error.keyword,
        message: `Use one of the allowed values: ${allowed}.`,
      };
    }
    default: {
      const message = error.message ?? 'does not hold';
      const code = error.keyword.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
      return { pointer: error.instancePath, code, message: `The value ${message}.` };
    }
  }
}
