import type { CharSet } from './char-set.ts';
import { anyChar, charOf, overlaps, union } from './char-set.ts';
import { PatternRefused } from './parse-pattern.ts';
import type { PatternNode, Repeat } from './pattern-node.ts';
import { allChars, firstChars, isNullable, openRepeats, sequenceOf } from './pattern-node.ts';

/** How many ways a backtracking engine may have to try from one starting point. */
interface Ways {
  /** Repetitions without an end whose length the next character does not settle: each multiplies by the text's length. */
  readonly open: number;
  /** All other choices that the next character does not settle, multiplied. */
  readonly bounded: number;
}

const settled: Ways = { open: 0, bounded: 1 };
const maxBoundedWays = 256;
/** PCRE, as MongoDB runs it, gives up on groups repeated more than about 1,000 times, and says "no match". */
const maxGroupRepeats = 250;

/**
 * Refuses a pattern that a backtracking engine might not finish in time linear in the text, although RE2 would: MongoDB's
 * engine gives up after a number of steps and answers "no match", so that the two would differ, and no time limit
 * interrupts it before.
 *
 * A choice is settled when the next character tells which way to go: the sets of first characters of the ways do not
 * overlap (the condition for one-unambiguous expressions: Brüggemann-Klein and Wood, "One-unambiguous regular
 * languages", 1998). Settled choices are not tried twice. Of the others we allow one repetition without an end, and as
 * many bounded ones as multiply to 256 ways; none inside a repetition without an end, where they multiply with the text.
 *
 * @throws PatternRefused with what to change.
 */
export function checkCost(node: PatternNode): void {
  const ways = waysOf(node, [], 1, []);
  if (ways.open > 1) {
    throw new PatternRefused(
      'Use one open-ended repetition (such as .*) whose end is uncertain; split the pattern into several $regex in $and.',
    );
  }
  if (ways.bounded > maxBoundedWays) throw new PatternRefused('Use fewer choices that begin with the same characters.');
}

/**
 * @param follow - The characters that can come next after the node.
 * @param repeats - How many times the groups around the node are repeated.
 * @param rest - What comes after the node.
 */
function waysOf(node: PatternNode, follow: CharSet, repeats: number, rest: readonly PatternNode[]): Ways {
  switch (node.kind) {
    case 'chars':
    case 'place':
      return settled;
    case 'sequence':
      return node.parts.reduce<Ways>((ways, part, index) => {
        const after = node.parts.slice(index + 1);
        return multiply(ways, waysOf(part, followOf(after, follow), repeats, [...after, ...rest]));
      }, settled);
    case 'choice': {
      const ways = node.parts.map((part) => waysOf(part, follow, repeats, rest)).reduce(multiply, settled);
      return isSettledChoice(node.parts, follow) ? ways : multiply(ways, { open: 0, bounded: node.parts.length });
    }
    case 'repeat':
      return waysOfRepeat(node, follow, repeats, rest);
  }
}

function waysOfRepeat(node: Repeat, follow: CharSet, repeats: number, rest: readonly PatternNode[]): Ways {
  const { body, min, max } = node;
  if (max <= 1) {
    const inner = waysOf(body, follow, repeats, rest);
    const isChoice = min === 0 && (isNullable(body) || overlaps(firstChars(body), follow));
    return isChoice ? multiply(inner, { open: 0, bounded: 2 }) : inner;
  }
  if (isNullable(body)) throw new PatternRefused('Repeat only what matches at least one character.');
  const isGroup = body.kind !== 'chars';
  const innerRepeats = isGroup && max !== Infinity ? repeats * max : repeats;
  if (innerRepeats > maxGroupRepeats) throw new PatternRefused(`Repeat a group at most ${maxGroupRepeats} times.`);
  const inner = waysOf(body, union(firstChars(body), follow), innerRepeats, rest);
  const isSettled = min === max || isSettledRepeat(node, follow);
  if (max === Infinity) {
    if (inner.open > 0 || inner.bounded > 1 || (isGroup && !isSettled)) {
      throw new PatternRefused('Repeat groups without an end only where the next character tells how to go on.');
    }
    if (isSettled) return settled;
    if (!scansOnce(sequenceOf(rest))) {
      throw new PatternRefused(
        'Write what comes after an open-ended repetition so that it does not scan on from everywhere.',
      );
    }
    return { open: 1, bounded: 1 };
  }
  return {
    open: inner.open * max,
    bounded: Math.min(inner.bounded ** max * (isSettled ? 1 : max - min + 1), Number.MAX_SAFE_INTEGER),
  };
}

/** Whether the next character tells if the repetition goes on, so that giving back what it took can never help. */
export function isSettledRepeat(node: Repeat, follow: CharSet): boolean {
  return !overlaps(firstChars(node.body), follow);
}

/** The characters that can come after a node when these parts, and then `follow`, come after it. */
export function followOf(parts: readonly PatternNode[], follow: CharSet): CharSet {
  const next: CharSet[] = [];
  for (const part of parts) {
    // What is nothing to a text's end may still be something to a line's or a word's.
    if (part.kind === 'place' && part.place !== 'text-end') {
      if (part.place !== 'line-end') return anyChar;
      next.push(charOf(10));
    } else if (hasPlace(part)) {
      return anyChar;
    }
    next.push(firstChars(part));
    if (!isNullable(part)) return union(...next);
  }
  return union(...next, follow);
}

/** Whether an assertion stands somewhere in a group: its own characters do not tell what it lets through. */
function hasPlace(node: PatternNode): boolean {
  switch (node.kind) {
    case 'chars':
    case 'place':
      return false;
    case 'repeat':
      return node.body.kind === 'place' || hasPlace(node.body);
    case 'sequence':
    case 'choice':
      return node.parts.some((part) => part.kind === 'place' || hasPlace(part));
  }
}

/**
 * Whether a search for the node reads no character more than a bounded number of times: no open-ended repetition in it
 * runs over characters at which another attempt would begin.
 */
export function scansOnce(node: PatternNode): boolean {
  const first = firstChars(node);
  return openRepeats(node).every((repeat) => !overlaps(allChars(repeat), first));
}

function isSettledChoice(parts: readonly PatternNode[], follow: CharSet): boolean {
  const first = parts.map((part) => followOf([part], follow));
  const empty = parts.filter(isNullable).length;
  return empty <= 1 && first.every((set, index) => first.slice(index + 1).every((other) => !overlaps(set, other)));
}

function multiply(a: Ways, b: Ways): Ways {
  return { open: a.open + b.open, bounded: Math.min(a.bounded * b.bounded, Number.MAX_SAFE_INTEGER) };
}
