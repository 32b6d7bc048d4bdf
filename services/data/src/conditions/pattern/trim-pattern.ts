import type { PatternNode } from './pattern-node.ts';
import { sequenceOf } from './pattern-node.ts';

/**
 * Takes from the ends of a pattern what does not change whether it is found somewhere in a text: of a repetition at an end
 * the fewest times will do. `.*foo.*` is found where `foo` is, and `[ab]+c` where `[ab]c` is.
 */
export function trimPattern(node: PatternNode): PatternNode {
  if (node.kind === 'choice') return { kind: 'choice', parts: node.parts.map(trimPattern) };
  const trimmed = trimEnd(sequenceOf([node]).parts);
  return sequenceOf(trimEnd(trimmed.toReversed()).toReversed());
}

function trimEnd(parts: readonly PatternNode[]): readonly PatternNode[] {
  const last = parts.at(-1);
  if (last?.kind !== 'repeat' || last.min === last.max) return parts;
  const others = parts.slice(0, -1);
  return last.min === 0 ? trimEnd(others) : [...others, { ...last, max: last.min }];
}
