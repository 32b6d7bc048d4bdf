import type { Condition } from '../condition.ts';

/** The paths, as they were written, of the fields of which a condition asks where they lie. */
export const askedPlaces = (condition: Condition<unknown>): readonly string[] => [...new Set(placesIn(condition))];

function placesIn(condition: Condition<unknown>): readonly string[] {
  switch (condition.kind) {
    case 'and':
    case 'or':
    case 'nor':
      return condition.branches.flatMap(placesIn);
    case 'not':
      return placesIn(condition.branch);
    case 'field':
      return condition.atom.op === 'geo' ? [condition.path.text] : [];
  }
}
