import { askedPlaces } from '../conditions/geo/asked-places.ts';
import type { LocatedFault } from '../conditions/located-fault.ts';
import { pointerTo } from '../conditions/located-fault.ts';
import type { DeclaredField } from '../fields/declared-field.ts';
import { rulesOf } from '../rules/rules-of.ts';
import type { Rules } from '../rules/rule.ts';
import type { IndexDefinition } from './collection.model.ts';
import { wholeGeoPathsOf } from './parse-index.ts';

/** What a definition says, as far as it may ask where fields lie. */
interface Asking {
  readonly fields: readonly DeclaredField[];
  readonly indexes: readonly IndexDefinition[];
  readonly rules: Rules;
}

/**
 * Checks that rules ask where a field lies only if an index has its values checked: what is no geometry MongoDB would at times take for one.
 *
 * @returns faults by where in the definition they stand
 */
export function checkPlaced({ fields, indexes, rules }: Asking): LocatedFault[] {
  const indexed = new Set(indexes.flatMap(wholeGeoPathsOf));
  return rulesOf(rules, fields).flatMap(({ rule, pointer }) => {
    if (rule.kind !== 'alternatives') return [];
    return rule.alternatives.flatMap((alternative, at) =>
      askedPlaces(alternative)
        .filter((path) => !indexed.has(path))
        .map((path) => ({
          pointer: pointerTo(pointer, at),
          code: 'needs-index',
          message: `Add {"keys": {"${path}": "2dsphere"}} to the indexes: the rule asks where \`${path}\` lies, and an index without \`where\` has all of its values checked.`,
        })),
    );
  });
}
