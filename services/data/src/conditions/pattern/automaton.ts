import type { CharSet } from './char-set.ts';
import { contains } from './char-set.ts';
import type { PatternNode, Place } from './pattern-node.ts';
import { sequenceOf } from './pattern-node.ts';

/** Is told of work, in units of about ten nanoseconds, and throws where that is too much. */
export type Spend = (units: number) => void;

/** An instruction of the nondeterministic automaton; numbers are those of the instructions that follow. */
type Instruction =
  | { readonly kind: 'chars'; readonly set: CharSet; readonly next: number }
  | { readonly kind: 'place'; readonly place: Place; readonly next: number }
  | { readonly kind: 'either'; readonly ways: readonly number[] }
  | { readonly kind: 'match' };

/** What a place is told from: what stands before it, or after it. */
const neighbour = { other: 0, edge: 1, lineFeed: 2, word: 3 } as const;
type Neighbour = (typeof neighbour)[keyof typeof neighbour];

/** A set of instructions to go on from, and where they stand. */
interface State {
  readonly instructions: Uint16Array;
  readonly before: Neighbour;
  /** By class of the next character; the last one is the end of the text. */
  readonly next: (State | typeof matched | undefined)[];
}

const matched = Symbol('matched');
const latin1Size = 256;
/** Cells of states that are kept, of 8 bytes. */
const maxCells = 65_536;
/** What things take, measured. */
const visitUnits = 5;
const stateUnits = 100;

/**
 * Compiles a pattern to a function that says whether a text holds a match, in time linear in the text: a search by a
 * deterministic automaton whose states are made when they are met and forgotten when they are many (R. Cox, "Regular
 * Expression Matching in the Wild", 2010).
 *
 * Of our own, because the work of a search has to be told while it is done: a pattern such as `a[ab]{900}c` takes seconds
 * over a text that meets another state at each character, and no engine at hand can be stopped in the middle.
 *
 * @param node - of bounded size, see `sizeOfPattern`
 */
export function compileAutomaton(node: PatternNode): (text: string, spend: Spend) => boolean {
  const automaton = new Automaton(node);
  return (text, spend) => automaton.test(text, spend);
}

/** How many instructions a pattern takes, about. */
export function sizeOfPattern(node: PatternNode): number {
  switch (node.kind) {
    case 'chars':
    case 'place':
      return 1;
    case 'sequence':
    case 'choice':
      return node.parts.reduce((sum, part) => sum + sizeOfPattern(part), 1);
    case 'repeat':
      return 1 + sizeOfPattern(node.body) * (node.max === Infinity ? Math.max(node.min, 1) : node.max);
  }
}

class Automaton {
  readonly #instructions: Instruction[] = [{ kind: 'match' }];
  readonly #start: number;
  /** Matches begin at the text's beginning alone. */
  readonly #anchored: boolean;
  /** Whether `\b` or `\B`, and whether `^` or `$` of lines, stand in the pattern: otherwise nothing depends on them. */
  readonly #hasWords: boolean;
  readonly #hasLines: boolean;
  /** Where each class of characters begins that the pattern does not tell apart, but the first. */
  readonly #bounds: readonly number[];
  readonly #latin1: Uint16Array;
  /** By instruction, in which round it was looked at, and kept for the next character. */
  readonly #marks: { readonly seen: Float64Array; readonly kept: Float64Array };
  #round = 0;
  #states = new Map<string, State>();
  #cells = 0;

  constructor(node: PatternNode) {
    this.#start = this.#build(node, 0);
    const [first] = sequenceOf([node]).parts;
    this.#anchored = first?.kind === 'place' && first.place === 'text-start';
    const places = new Set(this.#instructions.map((each) => (each.kind === 'place' ? each.place : undefined)));
    this.#hasWords = places.has('word-edge') || places.has('no-word-edge');
    this.#hasLines = places.has('line-start') || places.has('line-end');
    const sets = new Set(this.#instructions.flatMap((each) => (each.kind === 'chars' ? [each.set] : [])));
    if (this.#hasWords) sets.add(wordChars);
    if (this.#hasLines) sets.add(lineFeeds);
    const bounds = new Set([...sets].flatMap((set) => set.flatMap(([low, high]) => [low, high + 1])));
    this.#bounds = [...bounds].filter((bound) => bound > 0).sort((a, b) => a - b);
    const { length } = this.#instructions;
    this.#marks = { seen: new Float64Array(length), kept: new Float64Array(length) };
    this.#latin1 = Uint16Array.from({ length: latin1Size }, (_, codePoint) => this.#search(codePoint));
  }

  test(text: string, spend: Spend): boolean {
    spend(text.length);
    let state = this.#stateOf(Uint16Array.of(this.#start), neighbour.edge);
    let at = 0;
    while (at < text.length) {
      const unit = text.charCodeAt(at);
      let codePoint = unit;
      let char = this.#latin1[unit];
      at += 1;
      if (char === undefined) {
        // Half of a surrogate pair is stored, and sent to MongoDB, as U+FFFD.
        codePoint = unit >= 0xd800 && unit <= 0xdfff ? (wholePair(text, at - 1) ?? 0xfffd) : unit;
        if (codePoint > 0xffff) at += 1;
        char = this.#search(codePoint);
      }
      const next = state.next[char] ?? this.#step(state, char, codePoint, spend);
      if (next === matched) return true;
      // Nothing is under way, and nothing begins any more.
      if (next.instructions.length === 0) return false;
      state = next;
    }
    const end = this.#bounds.length + 1;
    return (state.next[end] ?? this.#step(state, end, undefined, spend)) === matched;
  }

  /** Makes the instructions of a node before those that follow it. @returns where it begins */
  #build(node: PatternNode, next: number): number {
    switch (node.kind) {
      case 'chars':
        return this.#add({ kind: 'chars', set: node.set, next });
      case 'place':
        return this.#add({ kind: 'place', place: node.place, next });
      case 'sequence':
        return node.parts.reduceRight((following, part) => this.#build(part, following), next);
      case 'choice':
        return this.#add({ kind: 'either', ways: node.parts.map((part) => this.#build(part, next)) });
      case 'repeat': {
        const { body, min, max } = node;
        let begin = max === Infinity ? this.#buildLoop(body, next) : next;
        for (let times = min; times < max && max !== Infinity; times += 1) {
          begin = this.#add({ kind: 'either', ways: [this.#build(body, begin), next] });
        }
        for (let times = 0; times < min; times += 1) begin = this.#build(body, begin);
        return begin;
      }
    }
  }

  #buildLoop(body: PatternNode, next: number): number {
    const ways = [next];
    const loop = this.#add({ kind: 'either', ways });
    ways.push(this.#build(body, loop));
    return loop;
  }

  #add(instruction: Instruction): number {
    this.#instructions.push(instruction);
    return this.#instructions.length - 1;
  }

  /** The class of a character. */
  #search(codePoint: number): number {
    let [low, high] = [0, this.#bounds.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#bounds[middle] ?? 0) <= codePoint) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #neighbourOf(codePoint: number | undefined): Neighbour {
    if (codePoint === undefined) return neighbour.edge;
    if (this.#hasLines && contains(lineFeeds, codePoint)) return neighbour.lineFeed;
    return this.#hasWords && contains(wordChars, codePoint) ? neighbour.word : neighbour.other;
  }

  /** Where a state leads to; found once for each class of characters. */
  #step(state: State, char: number, codePoint: number | undefined, spend: Spend): State | typeof matched {
    const after = this.#neighbourOf(codePoint);
    const { seen, kept } = this.#marks;
    const round = (this.#round += 1);
    const following: number[] = [];
    const waiting = [...state.instructions];
    let visits = 0;
    let isMatch = false;
    for (let each = waiting.pop(); each !== undefined && !isMatch; each = waiting.pop()) {
      const instruction = this.#instructions[each];
      if (instruction === undefined || seen[each] === round) continue;
      seen[each] = round;
      visits += 1;
      if (instruction.kind === 'match') isMatch = true;
      else if (instruction.kind === 'either') waiting.push(...instruction.ways);
      else if (instruction.kind === 'place') {
        if (holds(instruction.place, state.before, after)) waiting.push(instruction.next);
      } else if (codePoint !== undefined && kept[instruction.next] !== round && contains(instruction.set, codePoint)) {
        kept[instruction.next] = round;
        following.push(instruction.next);
      }
    }
    if (!this.#anchored && codePoint !== undefined && kept[this.#start] !== round) following.push(this.#start);
    spend((visits + following.length) * visitUnits + state.next.length / 8 + stateUnits);
    const next = isMatch ? matched : this.#stateOf(Uint16Array.from(following).sort(), after);
    state.next[char] = next;
    return next;
  }

  #stateOf(instructions: Uint16Array, before: Neighbour): State {
    const key = String.fromCharCode(before, ...instructions);
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    const width = this.#bounds.length + 2;
    this.#cells += width + 2 * instructions.length;
    if (this.#cells > maxCells) {
      this.#states = new Map();
      this.#cells = width + 2 * instructions.length;
    }
    const made: State = { instructions, before, next: new Array<undefined>(width).fill(undefined) };
    this.#states.set(key, made);
    return made;
  }
}

/** Characters of words, as `\b` has them. */
const wordChars: CharSet = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
];

const lineFeeds: CharSet = [[10, 10]];

function holds(place: Place, before: Neighbour, after: Neighbour): boolean {
  switch (place) {
    case 'text-start':
      return before === neighbour.edge;
    case 'text-end':
      return after === neighbour.edge;
    case 'line-start':
      return before === neighbour.edge || before === neighbour.lineFeed;
    case 'line-end':
      return after === neighbour.edge || after === neighbour.lineFeed;
    case 'word-edge':
      return (before === neighbour.word) !== (after === neighbour.word);
    case 'no-word-edge':
      return (before === neighbour.word) === (after === neighbour.word);
  }
}

/** The character of a surrogate pair; undefined for half of one. */
function wholePair(text: string, at: number): number | undefined {
  const codePoint = text.codePointAt(at) ?? 0;
  return codePoint > 0xffff ? codePoint : undefined;
}
