import { z } from 'zod';

import type { Definition } from '../../collections/collection.model.ts';
import type { CompiledDefinition } from '../../collections/parse-definition.ts';
import { scalarTypesAt } from '../../collections/scalar-types.ts';
import type { Condition, Operand, Value } from '../../conditions/condition.ts';
import { pointerTo } from '../../conditions/located-fault.ts';
import { ownCollection } from '../../fields/declared-field.ts';
import type { ScalarTypesAt } from '../../sorting/sort.ts';
import { parseSort } from '../../sorting/sort.ts';
import { allIndexesOf } from '../../references/all-indexes.ts';
import type { ProposedIndex } from './advise-index.ts';
import { adviseIndexes, proposedIndex } from './advise-index.ts';
import { alternativesOf } from './conjuncts.ts';
import { servingIndexes } from './serving-indexes.ts';

/** What an administrator should know about a rule, though it is taken. */
export const ruleWarning = z.object({
  pointer: z.string().describe('The alternative, or what it follows: `/rules/read/0`.'),
  code: z.enum(['rule-needs-index', 'rule-without-index', 'follow-needs-index']),
  message: z.string(),
  index: proposedIndex
    .nullable()
    .describe(
      'What would serve it, in the collection that is referred to where it is followed; null where no index can.',
    ),
});

/** What an administrator should know about a rule, though it is taken. */
export type RuleWarning = z.input<typeof ruleWarning>;

const messages = {
  'rule-needs-index': 'No index leads to what this alternative shows: once there are many records, lists are refused.',
  'follow-needs-index':
    'No index leads to what is followed here: each list looks at all records of the collection that is referred to.',
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
    if (isServed({ source }, alternative)) return [];
    const index = indexFor(alternative, typesAt);
    const code = index === null ? 'rule-without-index' : 'rule-needs-index';
    return [{ pointer: pointerTo('/rules/read', at), code, message: messages[code], index }];
  });
}

/** A definition, as far as indexes lead to its records. */
type Target = Pick<CompiledDefinition, 'source'>;

/**
 * Warns of references that the read rule follows to what no index of the other collection leads to.
 *
 * @param find - gives the definition of another collection by its id; undefined where it is gone
 */
export async function warnOfFollows(
  { follows, source }: Pick<CompiledDefinition, 'follows' | 'source'>,
  find: (id: string) => Promise<{ readonly definition: Definition } | undefined>,
): Promise<RuleWarning[]> {
  const warnings: RuleWarning[] = [];
  for (const { operand, target } of follows.read) {
    const { condition, pointer } = operand;
    const there = target === ownCollection ? source : (await find(target))?.definition;
    if (there === undefined || isServed({ source: there }, condition)) continue;
    const typesAt: ScalarTypesAt = (segments) => scalarTypesAt(there.schema, segments);
    const code = 'follow-needs-index';
    warnings.push({ pointer, code, message: messages[code], index: indexFor(condition, typesAt) });
  }
  return warnings;
}

/** Whether an index leads to what meets a condition. */
function isServed({ source }: Target, condition: Condition<Operand>): boolean {
  const serving = servingIndexes(allIndexesOf(source), condition, knownValue);
  return isLedTo(condition, new Set(['id', ...serving.flatMap(({ keys }) => Object.keys(keys).slice(0, 1))]));
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
