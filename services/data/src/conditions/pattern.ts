import { RE2JS, RE2JSException } from 're2js';
import type { LocatedFault, Parsed } from './located-fault.ts';
import { compileAutomaton, sizeOfPattern } from './pattern/automaton.ts';
import type { Spend } from './pattern/automaton.ts';
import { checkCost } from './pattern/check-cost.ts';
import { parsePattern, PatternRefused } from './pattern/parse-pattern.ts';
import { OverBudget, PatternBudget } from './pattern/pattern-budget.ts';
import type { PatternNode } from './pattern/pattern-node.ts';
import { printPattern } from './pattern/print-pattern.ts';
import { trimPattern } from './pattern/trim-pattern.ts';

/** A regular expression that means the same to MongoDB and to us. */
export interface Pattern {
  /** For people: as it was written, between slashes, with its options. */
  readonly text: string;
  /** For MongoDB's `$regex` (PCRE), without options. */
  readonly pcre: string;
  /** Whether the text holds a match; in linear time, and what is spent is told. */
  readonly test: (text: string, spend: Spend) => boolean;
}

/** Longest pattern, in characters, that clients may rely on. */
export const maxPatternLength = 200;

/**
 * Compiles a `$regex` in RE2's syntax.
 *
 * RE2 judges the syntax; then the pattern is read, its options are applied, its ends are trimmed, and it is made an automaton
 * of, and printed anew for PCRE, so that what engines define differently (`$`, `\s`, the other cases of a letter) is written
 * out. What cannot be made the same, or what MongoDB's backtracking engine might not finish, is refused.
 *
 * @param source - At most 200 characters.
 * @param options - Any of `i m s`, each once.
 * @param pointer - Where the pattern stands, for the fault.
 * @param budget - What the patterns of the condition may still use.
 */
export function compilePattern(
  source: string,
  options: string,
  pointer: string,
  budget: PatternBudget = new PatternBudget(),
): Parsed<Pattern> {
  const refused = (code: string, message: string): Parsed<Pattern> => {
    const fault: LocatedFault = { pointer, code, message };
    return { ok: false, faults: [fault] };
  };
  if (source.length > maxPatternLength) {
    return refused('pattern-too-long', `Use a pattern of at most ${maxPatternLength} characters.`);
  }
  if (!/^(?!.*(.).*\1)[ims]*$/.test(options)) {
    return refused('invalid-options', 'Use each of the options i, m and s at most once, and no other.');
  }
  try {
    budget.countPattern();
    const node = readPattern(source, options, budget);
    checkCost(node);
    const text = `/${source}/${options}`;
    return { ok: true, value: { text, pcre: printPattern(node), test: compileAutomaton(node) } };
  } catch (error) {
    if (error instanceof OverBudget) return refused('too-large', error.message);
    if (error instanceof PatternRefused) return refused('unsupported-pattern', error.message);
    if (error instanceof RE2JSException) {
      return refused('invalid-pattern', `Use RE2 syntax, without look-around and back-references: ${error.message}.`);
    }
    throw error;
  }
}

/** Reads a pattern within the budget before RE2 sees it, which is slow with many cases and repetitions. */
function readPattern(source: string, options: string, budget: PatternBudget): PatternNode {
  let node: PatternNode | undefined;
  let refusal: unknown;
  try {
    node = trimPattern(parsePattern(source, options, (chars) => budget.countCased(chars)));
    budget.countSize(sizeOfPattern(node));
  } catch (error) {
    if (error instanceof OverBudget) throw error;
    refusal = error;
  }
  // What is no pattern at all is explained by RE2.
  RE2JS.compile(options === '' ? source : `(?${options})${source}`);
  if (node === undefined) throw refusal;
  return node;
}
