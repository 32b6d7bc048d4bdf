import { faults } from '@causeway/contracts';

import type { Parsed } from '../conditions/located-fault.ts';
import { checkEncrypted } from '../encryption/check-encrypted.ts';
import { checkDefaults } from '../fields/check-defaults.ts';
import type { Expiry } from '../expiry/expiry-of.ts';
import { parseExpiry } from '../expiry/parse-expiry.ts';
import type { DeclaredField } from '../fields/declared-field.ts';
import { parseFields } from '../fields/parse-fields.ts';
import type { Follows } from '../rules/follow/follows.ts';
import { followsOf } from '../rules/follow/follows.ts';
import { parseRules } from '../rules/parse-rules.ts';
import type { Rules } from '../rules/rule.ts';
import { checkReferenceFields } from '../references/check-reference-fields.ts';
import { targetsOf } from '../references/declared-references.ts';
import type { Definition, OnErase, Scans } from './collection.model.ts';
import { checkPlaced } from './check-placed.ts';
import type { GeoPlaces } from './geo-places.ts';
import { geoPlacesOf } from './geo-places.ts';
import { parseIndexes } from './parse-indexes.ts';
import type { RecordSchema } from './record-schema.ts';
import { compileRecordSchema } from './record-schema.ts';

/** A definition, ready to judge records. */
export interface CompiledDefinition {
  readonly source: Definition;
  readonly schema: RecordSchema;
  readonly rules: Rules;
  /** The references that its rules follow. */
  readonly follows: Follows;
  /** What it says of single fields, in its order. */
  readonly fields: readonly DeclaredField[];
  /** Until when its records are kept. */
  readonly expiry: Expiry | undefined;
  /** Where its indexes want places on the globe. */
  readonly places: GeoPlaces;
}

const namePattern = /^[a-z][a-z0-9_-]{0,62}$/;

/** Whether a collection may have this name: what stands in a path without being escaped. */
export const isCollectionName = (name: string): boolean => namePattern.test(name);

/**
 * Parses what an administrator sends about a collection.
 *
 * @param json - `{schema, indexes?, rules?, fields?, expiry?, onErase?, scans?}`
 * @throws Fault `invalid-request` naming every fault by JSON pointer
 */
export function parseDefinition(json: {
  readonly schema: unknown;
  readonly indexes?: unknown;
  readonly rules?: unknown;
  readonly fields?: unknown;
  readonly expiry?: unknown;
  readonly onErase?: OnErase | undefined;
  readonly scans?: Scans | undefined;
}): CompiledDefinition {
  const schema = compileRecordSchema(json.schema, '/schema');
  const indexes = parseIndexes(json.indexes ?? [], '/indexes');
  const rules = parseRules(json.rules, '/rules');
  const fields = parseFields(json.fields, schema.ok ? schema.value.source : undefined, '/fields');
  const follows: Parsed<Follows> =
    rules.ok && fields.ok ? followsOf(rules.value, fields.value, '/rules') : { ok: false, faults: [] };
  const expiry = parseExpiry(json.expiry, schema.ok ? schema.value.source : undefined, '/expiry');
  const errors = [schema, indexes, rules, fields, follows, expiry].flatMap((parsed) =>
    parsed.ok ? [] : parsed.faults,
  );
  if (schema.ok && fields.ok) errors.push(...checkDefaults(fields.value, schema.value.validate, '/fields'));
  if (schema.ok && fields.ok) errors.push(...checkReferenceFields(fields.value, schema.value, '/fields'));
  if (indexes.ok && rules.ok && fields.ok && expiry.ok) {
    const own = { fields: fields.value, indexes: indexes.value, rules: rules.value, expiry: expiry.value };
    errors.push(...checkEncrypted(own), ...checkPlaced(own));
  }
  if (errors.length > 0 || !schema.ok || !indexes.ok || !rules.ok || !fields.ok || !follows.ok || !expiry.ok)
    throw faults.invalidRequest({ errors });
  const refersTo = targetsOf(fields.value);
  const source: Definition = {
    schema: schema.value.source,
    indexes: indexes.value,
    rules: (json.rules ?? {}) as Definition['rules'],
    // What is the default is not stored: a definition of before is the same as one that says it.
    ...(fields.value.length === 0 ? {} : { fields: json.fields as NonNullable<Definition['fields']> }),
    ...(refersTo.length === 0 ? {} : { refersTo }),
    ...(expiry.value === undefined ? {} : { expiry: { field: expiry.value.field } }),
    ...(json.onErase === 'delete' ? { onErase: json.onErase } : {}),
    ...(json.scans === 'allow' ? { scans: json.scans } : {}),
  };
  return {
    source,
    ...{ schema: schema.value, rules: rules.value, follows: follows.value, fields: fields.value, expiry: expiry.value },
    places: geoPlacesOf(indexes.value),
  };
}
