import type { CharSet } from './char-set.ts';
import { anyChar, complement, sizeOf } from './char-set.ts';
import { followOf, isSettledRepeat } from './check-cost.ts';
import type { PatternNode, Place, Repeat } from './pattern-node.ts';
import { sequenceOf } from './pattern-node.ts';
import { planSearch } from './search-plan.ts';

/**
 * How PCRE says a place, in a pattern without options: its `$` also matches before a last line feed, and its `(?m)^` not
 * after one (pcrepattern(3), "Circumflex and dollar").
 */
const places: Readonly<Record<Place, string>> = {
  // Not \A: MongoDB reads index bounds from a `^` with a literal after it.
  'text-start': '^',
  'text-end': '\\z',
  'line-start': '(?:^|(?<=\\n))',
  'line-end': '(?=\\n|\\z)',
  'word-edge': '\\b',
  'no-word-edge': '\\B',
};

/**
 * Prints a pattern in the words of PCRE, which MongoDB uses, without options.
 *
 * A repetition that the next character settles is possessive: the same matches, without the recursion in which MongoDB's
 * engine gives up on long texts. And it is told where to begin, so that no text takes quadratic time.
 *
 * @param node - Passed by `checkCost`.
 * @throws PatternRefused where a search by PCRE could take quadratic time
 */
export function printPattern(node: PatternNode): string {
  const plan = planSearch(node);
  switch (plan.kind) {
    case 'everywhere':
      return print(node, []);
    case 'first-word': {
      const { parts } = sequenceOf([node]);
      const word = print(sequenceOf(parts.slice(0, plan.wordLength)), anyChar);
      const rest = print(sequenceOf(parts.slice(plan.wordLength)), []);
      return `${printRunStart(plan.run)}(?>${printSet(plan.run)}*?${word})${rest}`;
    }
  }
}

/** Where a run of these characters begins, empty ones included. */
function printRunStart(run: CharSet): string {
  const others = complement(run);
  return others.length === 0 ? '^' : `(?:^|(?<=${printSet(others)}))`;
}

function print(node: PatternNode, follow: CharSet): string {
  switch (node.kind) {
    case 'chars':
      return printSet(node.set);
    case 'place':
      return places[node.place];
    case 'choice':
      return `(?:${node.parts.map((part) => print(part, follow)).join('|')})`;
    case 'sequence':
      return node.parts.map((part, index) => print(part, followOf(node.parts.slice(index + 1), follow))).join('');
    case 'repeat':
      return printRepeat(node, follow);
  }
}

function printRepeat(node: Repeat, follow: CharSet): string {
  const { body, min, max } = node;
  // What a repetition's body is followed by is settled by checkCost: inside, nothing is given back either way.
  const inner = print(body, anyChar);
  const text = body.kind === 'chars' ? inner : `(?:${inner})`;
  const isPossessive = max === Infinity && isSettledRepeat(node, follow);
  if (max !== Infinity) return `${text}{${min},${max}}`;
  return `${text}${min === 0 ? '*' : min === 1 ? '+' : `{${min},}`}${isPossessive ? '+' : ''}`;
}

function printSet(set: CharSet): string {
  if (sizeOf(set) === 1) return printChar(set[0]?.[0] ?? 0);
  const excluded = complement(set);
  if (excluded.length === 0) return '(?s:.)';
  const isNegated = excluded.length < set.length;
  const ranges = (isNegated ? excluded : set).map(([low, high]) =>
    low === high ? printClassChar(low) : `${printClassChar(low)}-${printClassChar(high)}`,
  );
  return `[${isNegated ? '^' : ''}${ranges.join('')}]`;
}

function printChar(codePoint: number): string {
  const char = String.fromCodePoint(codePoint);
  if (/[\p{L}\p{N}_ ]/u.test(char)) return char;
  return /[!-/:-@[-`{-~]/.test(char) ? `\\${char}` : escaped(codePoint);
}

function printClassChar(codePoint: number): string {
  const char = String.fromCodePoint(codePoint);
  return /[A-Za-z0-9]/.test(char) ? char : escaped(codePoint);
}

function escaped(codePoint: number): string {
  return `\\x{${codePoint.toString(16).toUpperCase()}}`;
}
