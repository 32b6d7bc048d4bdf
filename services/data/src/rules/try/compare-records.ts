import { Fault } from '@causeway/contracts';

import type { DeclaredField } from '../../fields/declared-field.ts';
import type { LookTime } from '../../pacing/look-time.ts';
import type { Turns } from '../../pacing/give-way.ts';
import type { VisibleRecord } from '../../records/record.model.ts';
import type { Caller } from '../rule.ts';
import type { CallerTally } from './caller-tally.ts';
import { compileRights, rightsKey } from './compile-rights.ts';
import type { RecordRights } from './compile-rights.ts';
import { reasonOf, reasonOfField } from './reasons.ts';
import type { Sides } from './sides.ts';

/** What {@link compareRecords} is given. */
export interface CompareRecordsOptions {
  readonly sides: Sides;
  /** That are asked about. */
  readonly fields: readonly DeclaredField[];
  readonly at: Date;
  readonly time: LookTime;
  readonly turns: Turns;
}

const actions = ['read', 'update', 'delete'] as const;

/**
 * Compares what somebody may do with some records under two definitions.
 *
 * @param caller - of whom it is known where the references of these records lead
 * @returns the ids of those over which a rule takes too long
 * @throws OutOfTime
 */
export async function compareRecords(
  { sides: { present, tried }, fields, at, time, turns }: CompareRecordsOptions,
  caller: Caller,
  records: readonly VisibleRecord[],
  tally: CallerTally,
): Promise<readonly string[]> {
  if (caller.administrator || rightsKey(present, caller, at) === rightsKey(tried, caller, at)) return [];
  const [before, after] = [present, tried].map((side) => compileRights(side, caller, at, fields));
  if (before === undefined || after === undefined) return [];
  const tooCostly: string[] = [];
  for (const record of records) {
    if (turns.isOver()) {
      time.demand();
      await turns.giveWay();
    }
    try {
      const [was, is] = [before(record), after(record)];
      for (const action of actions) {
        if (was[action] === is[action]) continue;
        const why = () => reasonOf(tried, { action, caller, record, at });
        tally[action].note(was[action], is[action], record._id, why);
      }
      compareFields(fields, was, is, (field, name) => {
        const own = name === 'read' ? 'seen' : 'writable';
        const [had, has] = [was[own].has(field.path), is[own].has(field.path)];
        if (had === has) return;
        const why = () => reasonOfField(tried, field, name, { caller, record, at });
        tally.fields.get(field.path)?.[name].note(had, has, record._id, why);
      });
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== 'rule-too-costly') throw error;
      tooCostly.push(record._id);
    }
  }
  return tooCostly;
}

/** Of a record that comes or goes as a whole nothing is said of its fields. */
function compareFields(
  fields: readonly DeclaredField[],
  was: RecordRights,
  is: RecordRights,
  note: (field: DeclaredField, name: 'read' | 'write') => void,
): void {
  for (const field of fields) {
    if (was.read && is.read) note(field, 'read');
    if (was.update && is.update) note(field, 'write');
  }
}
