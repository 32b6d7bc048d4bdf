import { z } from 'zod';

import type { CompiledDefinition } from '../../collections/parse-definition.ts';
import { scalarTypesAt } from '../../collections/scalar-types.ts';
import type { Condition, Operand, Value } from '../../conditions/condition.ts';
import { pointerTo } from '../../conditions/located-fault.ts';
import type { ScalarTypesAt } from '../../sorting/sort.ts';
import { parseSort } from '../../sorting/sort.ts';
import { allIndexesOf } from '../../references/all-indexes.ts';
import type { ProposedIndex } from './advise-index.ts';
import { adviseIndexes, proposedIndex } from './advise-index.ts';
import { alternativesOf } from './conjuncts.ts';
import { servingIndexes } from './serving-indexes.ts';

/** What an administrator should know about a rule, though it is taken. */
export const ruleWarning = z.object({
  pointer: z.string().describe('The alternative: `/rules/read/0`.'),
  code: z.enum(['rule-needs-index', 'rule-without-index']),
  message: z.string(),
  index: proposedIndex.nullable().describe('What would serve it; null where no index can.'),
});

/** What an administrator should know about a rule, though it is taken. */
export type RuleWarning = z.input<typeof ruleWarning>;

const messages = {
  'rule-needs-index': 'No index leads to what this alternative shows: once there are many records, lists are refused.',
  'rule-without-index': 'No index can lead to what this alternative shows: lists go through records in their order.',
} as const;

/**
 * Warns of alternatives of the read rule that no index of the definition leads to. The other rules are asked about one record
 * at a time.
 */
export function warnOfRules({ rules, source }: Pick<CompiledDefinition, 'rules' | 'source'>): RuleWarning[] {
  const { read } = rules;
  const typesAt: ScalarTypesAt = (segments) => scalarTypesAt(source.schema, segments);
  if (read.kind !== 'alternatives') return [];
  return read.alternatives.flatMap((alternative, at) => {
    const serving = servingIndexes(allIndexesOf(source), alternative, knownValue);
    const first = new Set(['id', ...serving.flatMap(({ keys }) => Object.keys(keys).slice(0, 1))]);
    if (isLedTo(alternative, first)) return [];
    const index = indexFor(alternative, typesAt);
    const code = index === null ? 'rule-without-index' : 'rule-needs-index';
    return [{ pointer: pointerTo('/rules/read', at), code, message: messages[code], index }];
  });
}

/** Who will ask is not known yet. */
const knownValue = (operand: Operand): Value | undefined => (operand.kind === 'value' ? operand.value : undefined);

/** Whether an index begins with a field of each way in which an alternative can be met. */
const isLedTo = (alternative: Condition<Operand>, first: ReadonlySet<string>): boolean =>
  alternativesOf(alternative).every((conjuncts) =>
    conjuncts.some(({ path, help }) => help !== 'wide' && first.has(path)),
  );

function indexFor(alternative: Condition<Operand>, typesAt: ScalarTypesAt): ProposedIndex | null {
  const narrows = alternativesOf(alternative).every((conjuncts) => conjuncts.some(({ help }) => help !== 'wide'));
  const byId = parseSort([], typesAt);
  if (!narrows || !byId.ok) return null;
  const [index = null] = adviseIndexes(alternative, byId.value, { scalarTypesAt: typesAt, known: [] });
  return index;
}
