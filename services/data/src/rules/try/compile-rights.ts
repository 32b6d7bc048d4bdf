import type { DeclaredField } from '../../fields/declared-field.ts';
import { fieldRights } from '../../fields/check-field-rights.ts';
import { isWithin } from '../../fields/is-within.ts';
import { valueAt } from '../../fields/value-at.ts';
import type { VisibleRecord } from '../../records/record.model.ts';
import type { Caller, Rule } from '../rule.ts';
import { compileDecision, conditionOf } from '../rule.ts';
import { createSight } from '../see.ts';
import type { Side } from './sides.ts';

/** What somebody may do with a record that is there; of an update, begin it: what it makes is judged once there is one. */
export interface RecordRights {
  readonly read: boolean;
  readonly update: boolean;
  readonly delete: boolean;
  /** The fields with rules of their own, of those that the record has, that they see; where they may read it. */
  readonly seen: ReadonlySet<string>;
  /** Those that they may give another value; where they may change it. */
  readonly writable: ReadonlySet<string>;
}

const none: ReadonlySet<string> = new Set();

/**
 * Compiles what somebody may do with records, by the functions that calls are decided by.
 *
 * @param paths - of the fields that are asked about
 * @returns it throws Fault `rule-too-costly`
 */
export function compileRights(
  side: Side,
  caller: Caller,
  at: Date,
  paths: readonly DeclaredField[],
): (record: VisibleRecord) => RecordRights {
  const { read, update, delete: remove } = side.rules;
  const compile = (rule: Rule) => compileDecision(rule, caller, { at });
  const may = { read: compile(read), update: compile(update.before), delete: compile(remove) };
  const sight = createSight(side, caller, { at });
  const declaredAt = new Map(side.fields.map((field) => [field.path, field]));

  return (record) => {
    if (!may.read(record)) return { read: false, update: false, delete: false, seen: none, writable: none };
    const own = { read: true, update: may.update(record), delete: may.delete(record) };
    if (paths.length === 0) return { ...own, seen: none, writable: none };
    const hidden = sight.hidden(record);
    const isThere = ({ segments }: DeclaredField): boolean =>
      hasValueAt(record, segments) && !hidden.some((each) => isWithin(segments, each));
    const rightsOf = fieldRights(side.fields, caller, hidden, record, { at });
    const isWritable = (field: DeclaredField): boolean => {
      const declared = declaredAt.get(field.path);
      return isOpen(field, caller, record) && (declared === undefined || rightsOf(declared).mayWrite);
    };
    return { ...own, seen: pathsOf(paths, isThere), writable: own.update ? pathsOf(paths, isWritable) : none };
  };
}

const pathsOf = (fields: readonly DeclaredField[], is: (field: DeclaredField) => boolean): ReadonlySet<string> =>
  new Set(fields.filter(is).map(({ path }) => path));

/** What is encrypted stands beside the other fields, and need not be opened to know that it is there. */
const hasValueAt = ({ fields, sealed }: VisibleRecord, segments: readonly string[]): boolean =>
  valueAt(fields, segments) !== undefined ||
  sealed?.values.some(({ path }) => isWithin(segments, path.split('.'))) === true;

/** Whether a rule has a say: what is read-only, or written once, stays as it is whatever the rules are. */
const isOpen = ({ readOnly, writeOnce, segments }: DeclaredField, caller: Caller, record: VisibleRecord): boolean =>
  (caller.administrator || readOnly !== true) &&
  (writeOnce !== true || !hasValueAt(record, segments) || valueAt(record.fields, segments) === null);

/** All that decides what {@link compileRights} gives, as text: the same for the same. */
export function rightsKey({ rules, fields }: Side, caller: Caller, at: Date): string {
  const bind = (rule: Rule) => conditionOf(rule, caller, { at });
  const ofFields = fields.flatMap(({ path, read, write }) =>
    [read, write].map((rule) => [path, rule === undefined ? null : bind(rule)]),
  );
  return JSON.stringify([bind(rules.read), bind(rules.update.before), bind(rules.delete), ofFields]);
}

/** The fields that one of two definitions has rules for, or the other; as the one has them that is tried. */
export function ruledFields({ fields: before }: Side, { fields: after }: Side): readonly DeclaredField[] {
  const all = new Map([...before, ...after].map((field) => [field.path, field]));
  const isRuled = (path: string, fields: readonly DeclaredField[]): boolean =>
    fields.some((field) => field.path === path && (field.read !== undefined || field.write !== undefined));
  return [...all.values()].filter(({ path }) => isRuled(path, before) || isRuled(path, after));
}
