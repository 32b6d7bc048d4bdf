import { z } from 'zod';

import { definitionBody } from '../collections/definition-body.ts';

const collection = z.string();
const condition = z.record(z.string(), z.unknown());

/** One step of a migration, as it is sent and stored: exactly one of its members. */
export const stepBody = z.strictObject({
  define: definitionBody.extend({ collection }).optional().describe('Defines a collection, or changes its definition.'),
  change: z
    .strictObject({ collection, filter: condition.optional(), operators: z.record(z.string(), z.unknown()) })
    .optional()
    .describe(
      'Changes the records that meet the filter, all of them without one: `$rename` and `$copy` (`{"old": "new"}`), `$convert` ' +
        '(`{"score": "number"}`), `$default` (where a field is missing), then the operators of a patch.',
    ),
  remove: z
    .strictObject({ collection, filter: condition })
    .optional()
    .describe('Deletes the records that meet the filter; `{}` for all of them.'),
  drop: z.strictObject({ collection }).optional().describe('Removes a collection that has no records.'),
});

/** One step of a migration. */
export type Step = z.output<typeof stepBody>;

/** What a step is about, with what it does. */
export type StepKind =
  | { readonly kind: 'define'; readonly define: NonNullable<Step['define']> }
  | { readonly kind: 'change'; readonly change: NonNullable<Step['change']> }
  | { readonly kind: 'remove'; readonly remove: NonNullable<Step['remove']> }
  | { readonly kind: 'drop'; readonly drop: NonNullable<Step['drop']> };

/** What kind a step is; undefined where it is none, or several at once. */
export function kindOf(step: Step): StepKind | undefined {
  const { define, change, remove, drop } = step;
  if (Object.values(step).filter((each) => each !== undefined).length !== 1) return undefined;
  if (define !== undefined) return { kind: 'define', define };
  if (change !== undefined) return { kind: 'change', change };
  if (remove !== undefined) return { kind: 'remove', remove };
  return drop === undefined ? undefined : { kind: 'drop', drop };
}

/** The collection that a step is about. */
export const collectionOf = ({ define, change, remove, drop }: Step): string =>
  (define ?? change ?? remove ?? drop)?.collection ?? '';
