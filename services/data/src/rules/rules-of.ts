import { pointerTo } from '../conditions/located-fault.ts';
import type { DeclaredField } from '../fields/declared-field.ts';
import type { Rule, Rules } from './rule.ts';

/** A rule, and where in the definition it stands. */
export interface PlacedRule {
  readonly rule: Rule;
  readonly pointer: string;
}

/** All rules of a definition: those of records, and those of single fields. */
export function rulesOf(
  { read, create, update, delete: remove }: Rules,
  fields: readonly Pick<DeclaredField, 'path' | 'read' | 'write'>[],
): readonly PlacedRule[] {
  const updates =
    update.after === update.before
      ? [{ rule: update.before, pointer: '/rules/update' }]
      : [
          { rule: update.before, pointer: '/rules/update/before' },
          { rule: update.after, pointer: '/rules/update/after' },
        ];
  const own = Object.entries({ read, create, delete: remove }).map(([name, rule]) => ({
    rule,
    pointer: `/rules/${name}`,
  }));
  const ofFields = fields.flatMap(({ path, read: reads, write }) =>
    Object.entries({ read: reads, write }).flatMap(([name, rule]) =>
      rule === undefined ? [] : [{ rule, pointer: pointerTo(pointerTo('/fields', path), name) }],
    ),
  );
  return [...own, ...updates, ...ofFields];
}
