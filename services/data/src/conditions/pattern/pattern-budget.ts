import { PatternRefused } from './parse-pattern.ts';

/** Bounds of all patterns of one condition together, so that reading one takes milliseconds. */
export const patternLimits = {
  patterns: 20,
  /** Characters that are given their other cases, under the option `i`. */
  casedChars: 4_000,
  /** Characters and classes, where a repetition counts each time. */
  size: 4_000,
} as const;

/** What the patterns of one condition have used so far. */
export class PatternBudget {
  #patterns = 0;
  #casedChars = 0;
  #size = 0;

  /** @throws OverBudget */
  countPattern(): void {
    this.#patterns += 1;
    if (this.#patterns > patternLimits.patterns) {
      throw new OverBudget(`Use at most ${patternLimits.patterns} patterns in one condition.`);
    }
  }

  /** @throws OverBudget before the characters are looked at */
  countCased(chars: number): void {
    this.#casedChars += chars;
    if (this.#casedChars > patternLimits.casedChars) {
      const message = `Use smaller ranges with the option i: at most ${patternLimits.casedChars} characters in the patterns of one condition.`;
      throw new OverBudget(message);
    }
  }

  /** @throws OverBudget */
  countSize(size: number): void {
    this.#size += size;
    if (this.#size > patternLimits.size) {
      const message = `Use shorter patterns or fewer repetitions: at most ${patternLimits.size} characters and classes in the patterns of one condition, where a repetition such as {9} counts nine times.`;
      throw new OverBudget(message);
    }
  }
}

/** Thrown where the patterns of a condition are too much together. */
export class OverBudget extends PatternRefused {}
