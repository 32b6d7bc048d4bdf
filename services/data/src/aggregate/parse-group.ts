import { isObject } from '../conditions/plain-value.ts';
import { pointerTo } from '../conditions/located-fault.ts';
import type { Accumulator, Group, Key } from './aggregate.ts';
import { accumulators, aggregateLimits } from './aggregate.ts';
import { parseBucketKey } from './parse-bucket-key.ts';
import type { KnownName, Named, Scope } from './scope.ts';
import { parseName, refusal } from './scope.ts';

/** A group, and what it gives. */
export interface ParsedGroup {
  readonly group: Group;
  readonly names: ReadonlyMap<string, KnownName>;
  /** All that it was made of. */
  readonly computed: readonly { readonly path: Named['path']; readonly pointer: string }[];
}

/** The rows that are put together. */
export interface GroupedRows {
  readonly scope: Scope;
  /** Whether they come in an order that was asked for. */
  readonly isSorted: boolean;
}

const number: KnownName = { isScalar: true, target: undefined };

/** Gathers what a group gives. */
function createGathering({ scope, isSorted }: GroupedRows) {
  const keys: (readonly [string, Key])[] = [];
  const fields: (readonly [string, Accumulator])[] = [];
  const names = new Map<string, KnownName>();
  const computed: { readonly path: Named['path']; readonly pointer: string }[] = [];
  const name = (text: string, pointer: string, known: KnownName): string => {
    const given = parseName(text, pointer);
    if (names.has(given)) throw refusal(pointer, 'duplicate-name', `Give \`${given}\` once: as a key, or as a field.`);
    const { isScalar, isSet, target } = known;
    names.set(given, { isScalar, target, ...(isSet === undefined ? {} : { isSet }) });
    return given;
  };
  const resolve = (text: unknown, pointer: string): Named => {
    const named = scope.resolve(text, pointer);
    if (named.isSet === true) {
      const message = `Leave \`${named.path.text}\` out: what addToSet gives is not put together again.`;
      throw refusal(pointer, 'invalid-operand', message);
    }
    computed.push({ path: named.path, pointer });
    return named;
  };
  return {
    value(text: string, path: unknown, pointer: string): void {
      const named = resolve(path, pointer);
      keys.push([name(text, pointer, named), { kind: 'value', path: named.path }]);
    },
    bucket(text: string, json: Readonly<Record<string, unknown>>, pointer: string): void {
      const { path } = resolve(json.by, pointerTo(pointer, 'by'));
      keys.push([name(text, pointer, number), parseBucketKey(path, json, pointer)]);
    },
    field(text: string, json: unknown, pointer: string): void {
      if (json === 'count') {
        fields.push([name(text, pointer, number), { kind: 'count' }]);
        return;
      }
      const [kind, path] = parseAccumulator(json, pointer);
      const named = resolve(path, pointerTo(pointer, kind));
      demandSuitable(kind, named, isSorted, pointerTo(pointer, kind));
      fields.push([name(text, pointer, knownOf(kind, named)), { kind, path: named.path }]);
    },
    get gathered(): ParsedGroup {
      return { group: { keys, fields }, names, computed };
    },
  };
}

type AccumulatorKind = (typeof accumulators)[number];

function parseAccumulator(json: unknown, pointer: string): readonly [AccumulatorKind, unknown] {
  const entries = isObject(json) ? Object.entries(json) : [];
  const [name, path] = entries[0] ?? [];
  const kind = accumulators.find((each) => each === name);
  if (kind !== undefined && entries.length === 1) return [kind, path];
  const known = accumulators.map((each) => `{"${each}": field}`).join(', ');
  throw refusal(pointer, 'unknown-accumulator', `Give "count", or one of ${known}.`);
}

function demandSuitable(kind: AccumulatorKind, { path }: Named, isSorted: boolean, pointer: string): void {
  if ((kind === 'sum' || kind === 'avg') && path.holds === 'time') {
    throw refusal(pointer, 'invalid-operand', `Ask for min or max of \`${path.text}\`: it is a time.`);
  }
  if ((kind === 'first' || kind === 'last') && !isSorted) {
    throw refusal(pointer, 'not-sorted', `Put a sort before the group: without one no row is the ${kind}.`);
  }
}

function knownOf(kind: AccumulatorKind, { isScalar, target }: Named): KnownName {
  switch (kind) {
    case 'sum':
    case 'avg':
    case 'countDistinct':
      return number;
    case 'addToSet':
      return { isScalar: false, isSet: true, target };
    case 'min':
    case 'max':
    case 'first':
    case 'last':
      return { isScalar, target };
  }
}

const groupForm = 'Give {"by": {name: field}, "fields": {name: "count" or {"sum": field}}}.';

/**
 * Parses `{by?, fields?}`: what rows are put together by, and what is made of them.
 *
 * @throws Fault `invalid-request`
 */
export function parseGroup(json: unknown, pointer: string, rows: GroupedRows): ParsedGroup {
  const { by = {}, fields = {} } = membersOf(json, ['by', 'fields'], pointer, groupForm);
  const gathering = createGathering(rows);
  const keys = entriesOf(by, aggregateLimits.keys, pointerTo(pointer, 'by'));
  for (const [name, key, at] of keys) {
    if (isObject(key)) gathering.bucket(name, key, at);
    else gathering.value(name, key, at);
  }
  const made = entriesOf(fields, aggregateLimits.fields, pointerTo(pointer, 'fields'));
  for (const [name, field, at] of made) gathering.field(name, field, at);
  if (keys.length + made.length === 0) throw refusal(pointer, 'invalid-stage', groupForm);
  return gathering.gathered;
}

/**
 * Parses `{by, boundaries | unit, timeZone?, as?, fields?}`: a group by one key, `bucket` where it is given no name, with a count where nothing
 * else is asked for.
 *
 * @throws Fault `invalid-request`
 */
export function parseBucket(json: unknown, pointer: string, rows: GroupedRows): ParsedGroup {
  const form =
    'Give {"by": field, "boundaries": [numbers]}, or {"by": field, "unit": "month"}; `as` and `fields` beside them.';
  const members = membersOf(json, ['by', 'boundaries', 'unit', 'timeZone', 'as', 'fields'], pointer, form);
  const { as = 'bucket', fields = { count: 'count' }, ...key } = members;
  if (typeof as !== 'string') throw refusal(pointerTo(pointer, 'as'), 'invalid-name', 'Give a name as text.');
  const gathering = createGathering(rows);
  gathering.bucket(as, key, pointer);
  for (const [name, field, at] of entriesOf(fields, aggregateLimits.fields, pointerTo(pointer, 'fields'))) {
    gathering.field(name, field, at);
  }
  return gathering.gathered;
}

/** The members of an object that has no others. */
export function membersOf(
  json: unknown,
  known: readonly string[],
  pointer: string,
  form: string,
): Readonly<Record<string, unknown>> {
  if (!isObject(json)) throw refusal(pointer, 'invalid-stage', form);
  const other = Object.keys(json).find((name) => !known.includes(name));
  if (other !== undefined) throw refusal(pointerTo(pointer, other), 'unknown-member', form);
  return json;
}

function entriesOf(json: unknown, most: number, pointer: string): (readonly [string, unknown, string])[] {
  if (!isObject(json)) throw refusal(pointer, 'invalid-stage', 'Give an object, by name.');
  const entries = Object.entries(json);
  if (entries.length > most) throw refusal(pointer, 'too-many', `Give at most ${most}.`);
  return entries.map(([name, value]) => [name, value, pointerTo(pointer, name)]);
}
