import { z } from 'zod';

import type { Condition } from '../../conditions/condition.ts';
import { parseFieldPath } from '../../conditions/field-path.ts';
import type { ScalarTypesAt, Sort } from '../../sorting/sort.ts';
import type { Alternatives, Conjunct, Help } from './conjuncts.ts';
import { alternativesOf } from './conjuncts.ts';
import type { OrderedIndex } from './serving-indexes.ts';

/** An index that a definition may be given. */
export const proposedIndex = z.object({ keys: z.record(z.string(), z.union([z.literal(1), z.literal(-1)])) });

/** An index that a definition may be given. */
export type ProposedIndex = z.input<typeof proposedIndex>;

/** More at once would rather be another query. */
const mostProposals = 3;
/** Of one index that is proposed; each key makes it larger. */
const mostKeys = 5;

const idText = 'id';

type Key = readonly [string, 1 | -1];

/**
 * Proposes indexes that would serve a query, in the form that a definition takes: fields with one value first, then the order,
 * then a field with a range ("equality, sort, range"); for alternatives one index each.
 *
 * @param scalarTypesAt - what the schema says: one index holds at most one field that may be an array
 * @param known - indexes that are there, and serve what meets the condition (`servingIndexes`): none of them is proposed. A partial
 *   one that does not is passed over, and one with the same keys may be proposed beside it
 * @returns none where no index can serve it, or one that is there already should
 */
export function adviseIndexes(
  condition: Condition<unknown>,
  sort: Sort,
  { scalarTypesAt, known }: { readonly scalarTypesAt: ScalarTypesAt; readonly known: readonly OrderedIndex[] },
): ProposedIndex[] {
  const proposals = leadingSets(condition).map((conjuncts) => propose(conjuncts, sort, scalarTypesAt));
  // Of alternatives each needs an index, or all are looked for among all records.
  if (proposals.some((each) => Object.keys(each.keys).length === 0)) return [];
  const texts = new Set(known.map(({ keys }) => JSON.stringify(keys)));
  const isNew = ({ keys }: ProposedIndex): boolean => {
    const text = JSON.stringify(keys);
    return text !== JSON.stringify({ [idText]: 1 }) && !texts.has(text) && texts.add(text).size > 0;
  };
  return proposals.filter(isNew).slice(0, mostProposals);
}

const narrows = ({ help }: Conjunct): boolean => help !== 'wide';

/** What every record has to meet, where that narrows the search: one index does. Otherwise the alternatives. */
function leadingSets(condition: Condition<unknown>): Alternatives {
  const common = commonOf(condition);
  if (common.some(narrows)) return [common];
  return alternativesOf(condition);
}

function commonOf(condition: Condition<unknown>): readonly Conjunct[] {
  const parts = condition.kind === 'and' ? condition.branches : [condition];
  return parts.flatMap((part) => {
    if (part.kind === 'and') return commonOf(part);
    const [only = [], ...more] = alternativesOf(part);
    return more.length === 0 ? only : [];
  });
}

function propose(conjuncts: readonly Conjunct[], sort: Sort, scalarTypesAt: ScalarTypesAt): ProposedIndex {
  // The order by id alone needs no key: every index ends with it.
  const ordered = sort.length === 1 ? [] : sort.map(({ path, direction }) => [path.text, direction] as const);
  const directions = new Map<string, 1 | -1>(ordered);
  const keysOf = (help: Help): Key[] =>
    conjuncts
      .filter((each) => each.help === help)
      .map(({ path }) => [path, help === 'equal' ? 1 : (directions.get(path) ?? 1)]);
  const equal = keysOf('equal');
  const range = keysOf('range').slice(0, 1);
  const rest = [...range, ...keysOf('wide')];
  const isOrderBounded = range[0] !== undefined && range[0][0] === ordered[0]?.[0];
  // Without a value to begin at, an index that is in order would be gone through from its beginning.
  const entries = equal.length > 0 || isOrderBounded ? [...equal, ...ordered, ...rest] : [...rest, ...ordered];
  const keys = new Map<string, 1 | -1>();
  let hasArray = false;
  for (const [path, direction] of entries) {
    if (keys.has(path) || keys.size >= mostKeys) continue;
    const isArray = mayBeArray(path, scalarTypesAt);
    if (isArray && hasArray) continue;
    hasArray ||= isArray;
    keys.set(path, direction);
  }
  return { keys: Object.fromEntries(withoutTieBreak([...keys])) };
}

/** `id` at the end, in the direction of what is before it, is there by itself; and alone, in every collection. */
function withoutTieBreak(keys: readonly Key[]): readonly Key[] {
  const [last, before] = keys.toReversed();
  const isThere = last?.[0] === idText && (before === undefined || before[1] === last[1]);
  return isThere ? keys.slice(0, -1) : keys;
}

/** Whether a record may hold an array there, as far as the schema says. */
function mayBeArray(text: string, scalarTypesAt: ScalarTypesAt): boolean {
  const path = parseFieldPath(text, 'record', '');
  if (!path.ok) return true;
  const [root, ...segments] = path.value.segments;
  return root === 'fields' && scalarTypesAt(segments) === undefined;
}
