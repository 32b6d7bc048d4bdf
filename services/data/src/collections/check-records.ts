import { setImmediate as turn } from 'node:timers/promises';

import type { Collection } from 'mongodb';

import type { LocatedFault } from '../conditions/located-fault.ts';
import { outermostFaults } from '../encryption/outermost-faults.ts';
import type { DeclaredField } from '../fields/declared-field.ts';
import type { Fields, RecordDocument } from '../records/record.model.ts';
import { definitionConflict } from './collections.errors.ts';
import { checkPlaces } from './geo-places.ts';
import type { CompiledDefinition } from './parse-definition.ts';

/** Records that are judged before others of the process have their turn. */
const inOneTurn = 200;
/** Records after which it is said how many have been looked at. */
export const tellEach = 5_000;
const maxExamples = 5;

/** A record that breaks a definition. */
export interface BreakingRecord {
  readonly id: string;
  readonly errors: readonly LocatedFault[];
}

/** What {@link findBreaking} is given. */
export interface FindBreakingOptions {
  readonly records: Pick<Collection<RecordDocument>, 'find'>;
  readonly definition: Pick<CompiledDefinition, 'schema' | 'places' | 'fields'>;
  /** What the current definition says of fields. */
  readonly known?: readonly DeclaredField[] | undefined;
  /** Gives all fields of a record, with what is encrypted. */
  readonly open: (record: RecordDocument) => Fields;
  /** Asked at the beginning, after each 5,000 records and at the end; ends the work by throwing. */
  readonly tell: (checked: number) => Promise<void>;
  /** Whether nothing more is to be looked at. */
  readonly isEnough?: () => boolean;
  /** For how long MongoDB may look for one batch. */
  readonly maxTimeMS?: number;
}

/**
 * Holds the records of a collection against a definition's schema, and against what its indexes want of places, one after another.
 *
 * @param found - is given each record that breaks it, before the next one is looked at
 * @returns how many have been looked at
 */
export async function findBreaking(
  { records, definition, known, open, tell, isEnough = () => false, maxTimeMS }: FindBreakingOptions,
  found: (record: BreakingRecord) => void,
): Promise<number> {
  const { schema, places, fields: declared } = definition;
  const options = {
    projection: { fields: 1, sealed: 1 },
    batchSize: 1_000,
    ...(maxTimeMS === undefined ? {} : { maxTimeMS }),
  };
  let checked = 0;
  await tell(checked);
  for await (const record of records.find({}, options)) {
    if (isEnough()) break;
    checked += 1;
    if (checked % inOneTurn === 0) await turn();
    if (checked % tellEach === 0) await tell(checked);
    const fields = open(record);
    const errors = [...schema.validate(fields), ...checkPlaces(places, fields)];
    if (errors.length > 0) found({ id: record._id, errors: outermostFaults(errors, declared, known) });
  }
  await tell(checked);
  return checked;
}

/**
 * Looks at every record, or at as many as it takes to show what breaks.
 *
 * @throws Fault `definition-conflict` with examples
 */
export async function demandNoneBreaks(given: Omit<FindBreakingOptions, 'isEnough' | 'maxTimeMS'>): Promise<void> {
  const examples: BreakingRecord[] = [];
  const isEnough = (): boolean => examples.length >= maxExamples;
  await findBreaking({ ...given, isEnough }, (record) => void examples.push(record));
  if (examples.length === 0) return;
  throw definitionConflict({
    detail: 'Records that are there break the new schema or index.',
    extensions: { examples },
  });
}
