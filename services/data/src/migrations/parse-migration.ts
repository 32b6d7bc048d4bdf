import { faults } from '@causeway/contracts';
import type { Collection } from 'mongodb';

import type { Definition, DefinitionDocument, IndexDefinition } from '../collections/collection.model.ts';
import { readDefinition } from '../collections/definition-body.ts';
import { isCollectionName } from '../collections/parse-definition.ts';
import { wholeGeoPathsOf } from '../collections/parse-index.ts';
import type { Condition } from '../conditions/condition.ts';
import { askedPlaces } from '../conditions/geo/asked-places.ts';
import type { LocatedFault } from '../conditions/located-fault.ts';
import { pointerTo } from '../conditions/located-fault.ts';
import { parseCondition } from '../conditions/parse-condition.ts';
import { parseMigrationOperators } from './migration-operators.ts';
import type { Step } from './step.ts';
import { collectionOf, kindOf } from './step.ts';
import { askedInClear, encryptedOf, toldInClear } from './told-in-clear.ts';

/** The collections that steps define. */
export type Made = Map<string, MadeCollection>;

/** What steps say of a collection that they define. */
interface MadeCollection {
  /** The fields that any of them has encrypted. */
  readonly encrypted: readonly string[];
  /** Of the last of them; undefined where that is refused. */
  readonly indexes: readonly IndexDefinition[] | undefined;
}

/** Stands for a collection that an earlier step of the migration makes. */
const toCome = { _id: 'col_to_come' };

/** The definitions that there are. */
export type Definitions = Pick<Collection<DefinitionDocument>, 'findOne'>;

/**
 * Checks the steps of a migration, as far as that can be said before any is made.
 *
 * @param pointer - where they stand in the body, for the faults
 * @param made - collections that steps before these define; those of these are added
 * @throws Fault `invalid-request` naming every fault by JSON pointer
 */
export async function checkSteps(
  steps: readonly Step[],
  pointer: string,
  { definitions, made }: { readonly definitions: Definitions; readonly made: Made },
): Promise<void> {
  const errors: LocatedFault[] = [];
  for (const [at, step] of steps.entries())
    errors.push(...(await checkStep(step, pointerTo(pointer, at), definitions, made)));
  if (errors.length > 0) throw faults.invalidRequest({ errors });
}

async function checkStep(
  step: Step,
  pointer: string,
  definitions: Definitions,
  made: Made,
): Promise<readonly LocatedFault[]> {
  const name = collectionOf(step);
  const own = kindOf(step);
  if (own === undefined) {
    const message = 'Give each step exactly one of `define`, `change`, `remove` and `drop`.';
    return [{ pointer, code: 'invalid-step', message }];
  }
  const at = pointerTo(pointer, own.kind);
  if (own.kind === 'define') {
    if (!isCollectionName(name))
      return [{ pointer: pointerTo(at, 'collection'), code: 'invalid-name', message: namesAre }];
    const encrypted = [...(made.get(name)?.encrypted ?? []), ...encryptedOf(own.define.fields)];
    made.set(name, { encrypted, indexes: undefined });
    const { errors, source } = await checkDefinition(own.define, at, definitions, made);
    made.set(name, { encrypted, indexes: source?.indexes });
    return errors;
  }
  const projection = { 'definition.fields': 1, 'definition.indexes': 1 };
  const there = await definitions.findOne({ name }, { projection });
  if (!made.has(name) && there === null) {
    const message = 'There is no such collection. Define it in a step before.';
    return [{ pointer: pointerTo(at, 'collection'), code: 'unknown-collection', message }];
  }
  const encrypted = [...(made.get(name)?.encrypted ?? []), ...encryptedOf(there?.definition.fields)];
  const errors: LocatedFault[] = [];
  const filter = own.kind === 'change' ? own.change.filter : own.kind === 'remove' ? own.remove.filter : undefined;
  if (filter !== undefined) {
    const place = pointerTo(at, 'filter');
    const parsed = parseCondition(filter, { pointer: place, now: true, geo: true });
    const indexes = made.has(name) ? made.get(name)?.indexes : there?.definition.indexes;
    if (!parsed.ok) errors.push(...parsed.faults);
    else errors.push(...askedInClear(parsed.value, encrypted, place), ...unplaced(parsed.value, indexes, place));
  }
  if (own.kind === 'change') {
    const operators = pointerTo(at, 'operators');
    const parsed = parseMigrationOperators(own.change.operators, operators);
    errors.push(...(parsed.ok ? toldInClear(own.change.operators, encrypted, operators) : parsed.faults));
  }
  return errors;
}

/** Finds where a filter asks where a field lies whose values no index has checked by then. */
function unplaced(
  filter: Condition<unknown>,
  indexes: readonly IndexDefinition[] | undefined,
  pointer: string,
): LocatedFault[] {
  if (indexes === undefined) return [];
  const indexed = new Set(indexes.flatMap(wholeGeoPathsOf));
  return askedPlaces(filter)
    .filter((path) => !indexed.has(path))
    .map((path) => {
      const message = `Add {"keys": {"${path}": "2dsphere"}} to the indexes of the collection, in a \`define\` before: the filter asks where \`${path}\` lies, and an index without \`where\` has all of its values checked.`;
      return { pointer, code: 'needs-index', message };
    });
}

const namesAre = 'A name begins with a small letter and has up to 63 small letters, digits, - and _.';

async function checkDefinition(
  { collection, ...body }: NonNullable<Step['define']>,
  pointer: string,
  definitions: Definitions,
  made: Made,
): Promise<{ readonly errors: readonly LocatedFault[]; readonly source?: Definition }> {
  const findOne = (async (filter: { readonly name: string }, options: object) =>
    (await definitions.findOne(filter, options)) ?? (made.has(filter.name) ? toCome : null)) as Definitions['findOne'];
  try {
    const { source } = await readDefinition(collection, body, { findOne });
    return { errors: [], source };
  } catch (error) {
    const { errors } = error as { readonly errors?: readonly LocatedFault[] };
    if (errors === undefined) throw error;
    return { errors: errors.map((each) => ({ ...each, pointer: `${pointer}${each.pointer}` })) };
  }
}
