import type { CharSet } from './char-set.ts';
import { charOf, complement, overlaps } from './char-set.ts';
import { scansOnce } from './check-cost.ts';
import { PatternRefused } from './parse-pattern.ts';
import type { PatternNode } from './pattern-node.ts';
import { allChars, openRepeats, sequenceOf } from './pattern-node.ts';

/**
 * How a backtracking engine is kept from scanning on from every place at which a match might begin:
 *
 * - `everywhere`: it need not be: it begins in few places, or scans no character twice.
 * - `first-word`: of several words with a gap after them that takes their characters, the first in a run of the gap's
 *   characters will do: what follows a later one follows the first one too.
 */
export type SearchPlan =
  { readonly kind: 'everywhere' } | { readonly kind: 'first-word'; readonly run: CharSet; readonly wordLength: number };

/**
 * Plans the search for a pattern.
 *
 * @param node - Trimmed.
 * @throws PatternRefused where it could take time quadratic in the text
 */
export function planSearch(node: PatternNode): SearchPlan {
  const { parts } = sequenceOf([node]);
  const [first] = parts;
  if (first?.kind === 'place' && first.place === 'text-start') return { kind: 'everywhere' };
  const isAtLines = first?.kind === 'place' && first.place === 'line-start';
  if (isAtLines && openRepeats(node).every((repeat) => !overlaps(allChars(repeat), charOf(10)))) {
    return { kind: 'everywhere' };
  }
  if (scansOnce(node)) return { kind: 'everywhere' };
  return planFirstWord(parts) ?? refuse();
}

const refuse = (): never => {
  throw new PatternRefused('Begin the pattern with ^, or leave out the repetition without an end.');
};

function planFirstWord(parts: readonly PatternNode[]): SearchPlan | undefined {
  const at = parts.findIndex((part) => part.kind === 'repeat' && part.max === Infinity);
  const gap = parts[at];
  if (gap?.kind !== 'repeat' || gap.body.kind !== 'chars') return undefined;
  const run = gap.body.set;
  const word = parts.slice(0, at);
  const isWord = word.every(
    (part) => (part.kind === 'chars' && !overlaps(part.set, complement(run))) || part.kind === 'place',
  );
  const rest = sequenceOf(parts.slice(at + 1));
  // The one gap is tried at every place of its run; nothing after it may scan on from there.
  if (!isWord || openRepeats(rest).length > 0) return undefined;
  return { kind: 'first-word', run, wordLength: at };
}
