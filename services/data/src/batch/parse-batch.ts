import { faults } from '@causeway/contracts';

import type { LocatedFault, Parsed } from '../conditions/located-fault.ts';
import { pointerTo } from '../conditions/located-fault.ts';
import { batchTooLarge } from './batch.errors.ts';
import { namedBy, namePattern } from './named-ids.ts';
import type { Operation, RecordName } from './operation.ts';
import { parseChange } from './parse-change.ts';

/** Bounds of a batch beside its bytes: a transaction holds what it writes against everybody else. */
export const batchBounds = { operations: 1_000, collections: 20, ofRecord: 50 } as const;

type Json = Readonly<Record<string, unknown>>;

const members: Readonly<Record<Operation['op'], readonly string[]>> = {
  create: ['op', 'collection', 'fields', 'as'],
  update: ['op', 'collection', 'id', 'ifMatch', 'fields', 'merge', 'patch', 'operators'],
  delete: ['op', 'collection', 'id', 'ifMatch'],
  check: ['op', 'collection', 'id', 'ifMatch'],
};
const kinds = Object.keys(members);
const isKind = (op: unknown): op is Operation['op'] => typeof op === 'string' && kinds.includes(op);
const isObject = (json: unknown): json is Json => typeof json === 'object' && json !== null && !Array.isArray(json);

/**
 * Parses the operations of a batch.
 *
 * @param json - the `operations` of the body
 * @throws Fault `invalid-request` naming every fault by JSON pointer, `batch-too-large`
 */
export function parseBatch(json: readonly unknown[]): readonly Operation[] {
  demandFew('/operations', 'operations', json.length, batchBounds.operations);
  const names = new Set<string>();
  const parsed = json.map((each, index) => parseOperation(each, `/operations/${index}`, names));
  const errors = parsed.flatMap((each) => (each.ok ? [] : each.faults)).slice(0, 100);
  const operations = parsed.flatMap((each) => (each.ok ? [each.value] : []));
  if (errors.length === 0 && operations.every(({ op }) => op === 'check')) {
    const message = 'Give at least one operation that creates, updates or deletes.';
    errors.push({ pointer: '/operations', code: 'nothing-to-write', message });
  }
  if (errors.length > 0) throw faults.invalidRequest({ errors });
  demandBounds(operations);
  return operations;
}

function demandFew(pointer: string, what: string, count: number, most: number): void {
  if (count <= most) return;
  const message = `A batch takes at most ${most} ${what}.`;
  throw batchTooLarge({
    detail: `A batch takes at most ${most} ${what}; this one has ${count}. Send it in several.`,
    errors: [{ pointer, code: 'too-many', message }],
    extensions: { limit: most },
  });
}

function demandBounds(operations: readonly Operation[]): void {
  const collections = new Set<string>();
  const counts = new Map<string, number>();
  for (const [index, operation] of operations.entries()) {
    const at = `/operations/${index}`;
    collections.add(operation.collection);
    demandFew(`${at}/collection`, 'collections', collections.size, batchBounds.collections);
    if (operation.op === 'create') continue;
    const key = `${operation.collection}/${JSON.stringify(operation.record)}`;
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    demandFew(`${at}/id`, 'operations on one record', count, batchBounds.ofRecord);
  }
}

function parseOperation(json: unknown, at: string, names: Set<string>): Parsed<Operation> {
  const op = isObject(json) ? json.op : undefined;
  if (!isObject(json) || !isKind(op)) {
    return refused(pointerTo(at, 'op'), 'unknown-operation', `Give an object with op: ${kinds.join(', ')}.`);
  }
  const allowed = members[op];
  const faulty: LocatedFault[] = Object.keys(json)
    .filter((name) => !allowed.includes(name))
    .map((name) => ({
      pointer: pointerTo(at, name),
      code: 'unknown-field',
      message: `${op} takes ${allowed.join(', ')}.`,
    }));
  const { collection } = json;
  if (typeof collection !== 'string') faulty.push(missing(at, 'collection', 'Name the collection.'));
  const rest = op === 'create' ? parseCreate(json, at, names) : parseNamed(op, json, at, names);
  if (!rest.ok) faulty.push(...rest.faults);
  if (faulty.length > 0 || !rest.ok) return { ok: false, faults: faulty };
  return { ok: true, value: { ...rest.value, collection } as Operation };
}

function parseCreate({ fields, as }: Json, at: string, names: Set<string>): Parsed<object> {
  const faulty: LocatedFault[] = [];
  if (!isObject(fields)) faulty.push(missing(at, 'fields', 'Give the fields as an object.'));
  if (as !== undefined) {
    const isName = typeof as === 'string' && namePattern.test(as);
    if (!isName) faulty.push(missing(at, 'as', 'Give a name: a letter, then letters, digits, - and _, 64 in all.'));
    else if (names.has(as)) faulty.push(missing(at, 'as', 'Give each create a name of its own.'));
    else names.add(as);
  }
  return faulty.length > 0 ? { ok: false, faults: faulty } : { ok: true, value: { op: 'create', fields, as } };
}

function parseNamed(op: 'update' | 'delete' | 'check', json: Json, at: string, names: Set<string>): Parsed<object> {
  const faulty: LocatedFault[] = [];
  const record = recordOf(json.id);
  if (record === undefined) {
    faulty.push(missing(at, 'id', 'Give the id of the record, or {"$id": the name of a create before}.'));
  } else if ('as' in record && !names.has(record.as)) {
    faulty.push(missing(at, 'id', 'No create before this operation has that name.'));
  }
  const { ifMatch } = json;
  const isRevision = Number.isSafeInteger(ifMatch) && (ifMatch as number) > 0;
  if (!isRevision && (ifMatch !== undefined || op === 'check')) {
    faulty.push(missing(at, 'ifMatch', 'Give the revision that the record has to have, as a number.'));
  }
  if (op !== 'update') return faulty.length > 0 ? { ok: false, faults: faulty } : named({ op, record, ifMatch });
  const change = parseChange(json, at);
  if (!change.ok) faulty.push(...change.faults);
  if (faulty.length > 0 || !change.ok) return { ok: false, faults: faulty };
  return named({ op, record, ifMatch, ...change.value });
}

const named = (value: object): Parsed<object> => ({ ok: true, value });

function recordOf(id: unknown): RecordName | undefined {
  if (typeof id === 'string') return { id };
  const as = namedBy(id);
  return as === undefined ? undefined : { as };
}

const missing = (at: string, name: string, message: string): LocatedFault => ({
  pointer: pointerTo(at, name),
  code: `invalid-${name === 'ifMatch' ? 'revision' : name}`,
  message,
});

function refused(pointer: string, code: string, message: string): { ok: false; faults: LocatedFault[] } {
  return { ok: false, faults: [{ pointer, code, message }] };
}
