import { faults } from '@causeway/contracts';
import type { Collection } from 'mongodb';

import type { DefinitionDocument } from '../collections/collection.model.ts';
import { readDefinition } from '../collections/definition-body.ts';
import { isCollectionName } from '../collections/parse-definition.ts';
import type { LocatedFault } from '../conditions/located-fault.ts';
import { pointerTo } from '../conditions/located-fault.ts';
import { parseCondition } from '../conditions/parse-condition.ts';
import { parseMigrationOperators } from './migration-operators.ts';
import type { Step } from './step.ts';
import { collectionOf, kindOf } from './step.ts';
import { askedInClear, encryptedOf, toldInClear } from './told-in-clear.ts';

/** The collections that steps define, with the fields that they have encrypted. */
export type Made = Map<string, readonly string[]>;

/** Stands for a collection that an earlier step of the migration makes. */
const toCome = { _id: 'col_to_come' };

/** The definitions that there are. */
export type Definitions = Pick<Collection<DefinitionDocument>, 'findOne'>;

/**
 * Checks the steps of a migration, as far as that can be said before any is made.
 *
 * @param pointer - where they stand in the body, for the faults
 * @param made - collections that steps before these define, with the fields that they have encrypted; those of these are added
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
    made.set(name, [...(made.get(name) ?? []), ...encryptedOf(own.define.fields)]);
    return await checkDefinition(own.define, at, definitions, made);
  }
  const there = await definitions.findOne({ name }, { projection: { 'definition.fields': 1 } });
  if (!made.has(name) && there === null) {
    const message = 'There is no such collection. Define it in a step before.';
    return [{ pointer: pointerTo(at, 'collection'), code: 'unknown-collection', message }];
  }
  const encrypted = [...(made.get(name) ?? []), ...encryptedOf(there?.definition.fields)];
  const errors: LocatedFault[] = [];
  const filter = own.kind === 'change' ? own.change.filter : own.kind === 'remove' ? own.remove.filter : undefined;
  if (filter !== undefined) {
    const parsed = parseCondition(filter, { pointer: pointerTo(at, 'filter'), now: true, geo: true });
    if (!parsed.ok) errors.push(...parsed.faults);
    else errors.push(...askedInClear(parsed.value, encrypted, pointerTo(at, 'filter')));
  }
  if (own.kind === 'change') {
    const operators = pointerTo(at, 'operators');
    const parsed = parseMigrationOperators(own.change.operators, operators);
    errors.push(...(parsed.ok ? toldInClear(own.change.operators, encrypted, operators) : parsed.faults));
  }
  return errors;
}

const namesAre = 'A name begins with a small letter and has up to 63 small letters, digits, - and _.';

async function checkDefinition(
  { collection, ...body }: NonNullable<Step['define']>,
  pointer: string,
  definitions: Definitions,
  made: Made,
): Promise<readonly LocatedFault[]> {
  const findOne = (async (filter: { readonly name: string }, options: object) =>
    (await definitions.findOne(filter, options)) ?? (made.has(filter.name) ? toCome : null)) as Definitions['findOne'];
  try {
    await readDefinition(collection, body, { findOne });
    return [];
  } catch (error) {
    const { errors } = error as { readonly errors?: readonly LocatedFault[] };
    if (errors === undefined) throw error;
    return errors.map((each) => ({ ...each, pointer: `${pointer}${each.pointer}` }));
  }
}
