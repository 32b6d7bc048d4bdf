import { faults } from '@causeway/contracts';

import type { Collection } from '../collections/collection-registry.ts';
import { definitionBusy } from '../collections/collections.errors.ts';
import { checkPlaces } from '../collections/geo-places.ts';
import type { LocatedFault } from '../conditions/located-fault.ts';
import { pointerTo } from '../conditions/located-fault.ts';
import type { Caller, Judgement, RuleContext } from '../rules/rule.ts';
import { canEver, decide, ruleFor } from '../rules/rule.ts';
import { checkFields } from './check-fields.ts';
import { boundFaults } from './record-faults.ts';
import type { Fields } from './record.model.ts';
import { unindexable } from './records.errors.ts';

/** Largest record, as the JSON of its fields. */
export const maxRecordBytes = 524_288;

type Definitions = Pick<Collection, 'rules' | 'schema' | 'places' | 'pending' | 'removing'>;

/** A record, or what is about to be one, as rules see it. */
export interface Judged {
  readonly _id: string;
  readonly revision: number;
  readonly fields: Fields;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly createdBy?: string;
  readonly updatedBy?: string;
}

/** Whether a caller may do something, now and under the definition that is about to come. */
export function mayDo(
  { rules, pending }: Definitions,
  judgement: Judgement,
  caller: Caller,
  record: Judged,
  context: RuleContext,
): boolean {
  const may = (own: Definitions['rules']): boolean => decide(ruleFor(own, judgement), caller, record, context);
  return may(rules) && (pending === undefined || may(pending.rules));
}

/**
 * Refuses callers who can see no record of a collection, whatever it holds: to them it is not there.
 *
 * @throws Fault `not-found`
 */
export function demandReadable({ rules }: Pick<Definitions, 'rules'>, caller: Caller): void {
  if (!canEver(rules.read, caller)) throw faults.notFound();
}

/**
 * Refuses callers who can create no record in a collection, whatever they send; before it is looked at, so that its faults
 * tell nothing of the schema.
 *
 * @throws Fault `forbidden`; `not-found` for those who cannot see a record either
 */
export function demandCreatable(definitions: Definitions, caller: Caller): void {
  const { rules, pending } = definitions;
  if (canEver(rules.create, caller) && (pending === undefined || canEver(pending.rules.create, caller))) return;
  demandReadable(definitions, caller);
  throw faults.forbidden();
}

/**
 * Refuses callers who can do something to no record of a collection, before any is looked at.
 *
 * @param judgements - what it takes
 * @throws Fault `forbidden`
 */
export function demandEver({ rules, pending }: Definitions, judgements: readonly Judgement[], caller: Caller): void {
  const may = (own: Definitions['rules']): boolean =>
    judgements.every((judgement) => canEver(ruleFor(own, judgement), caller));
  if (!may(rules) || (pending !== undefined && !may(pending.rules))) throw faults.forbidden();
}

/**
 * Refuses what a caller may not see or do: what one may not see is not there.
 *
 * @throws Fault `not-found`, `forbidden`
 */
export function demandRight(
  definitions: Definitions,
  judgement: 'update-before' | 'delete',
  caller: Caller,
  record: Judged,
  context: RuleContext,
): void {
  if (!decide(definitions.rules.read, caller, record, context)) throw faults.notFound();
  if (!mayDo(definitions, judgement, caller, record, context)) throw faults.forbidden();
}

/**
 * Refuses writes while the collection is being removed.
 *
 * @throws Fault `definition-busy`
 */
export function demandWritable({ removing }: Definitions): void {
  if (removing) throw definitionBusy();
}

/**
 * Checks the fields of a record that is to be stored.
 *
 * @param fields - as sent, or as a patch has made them
 * @param hidden - what is in there that the author does not see: nothing is told of it
 * @throws Fault `invalid-request` naming every fault; `unindexable` where something else stands than a place; `payload-too-large`
 */
export function checkRecord(
  { schema, places, pending }: Definitions,
  fields: unknown,
  hidden: readonly (readonly string[])[] = [],
): asserts fields is Fields {
  const structural = checkFields(fields);
  const errors =
    structural.length > 0 ? structural : [...schema.validate(fields), ...(pending?.schema.validate(fields) ?? [])];
  if (errors.length > 0) throw faults.invalidRequest({ errors: boundFaults(veiled(errors, hidden)) });
  const misplaced = [...checkPlaces(places, fields), ...checkPlaces(pending?.places ?? [], fields)];
  if (misplaced.length > 0) throw unindexable({ errors: boundFaults(veiled(misplaced, hidden)) });
  const sizeBytes = Buffer.byteLength(JSON.stringify(fields));
  if (sizeBytes <= maxRecordBytes) return;
  const size = hidden.length > 0 ? 'too many' : String(sizeBytes);
  throw faults.payloadTooLarge({
    detail: `The record would have ${size} bytes; at most ${maxRecordBytes} are allowed.`,
    extensions: { limitBytes: maxRecordBytes },
  });
}

/** Names no place that is hidden, and says nothing of what is wrong there. */
const veiled = (errors: readonly LocatedFault[], hidden: readonly (readonly string[])[]): readonly LocatedFault[] => {
  const places = hidden.map((segments) => segments.reduce<string>(pointerTo, ''));
  return errors.map((error) =>
    places.some((place) => error.pointer === place || error.pointer.startsWith(`${place}/`))
      ? { pointer: '', code: 'invalid-record', message: 'The record as a whole would not keep to its schema.' }
      : error,
  );
};
