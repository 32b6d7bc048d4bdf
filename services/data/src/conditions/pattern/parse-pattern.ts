import { anyChar, charOf, complement, sizeOf, union, withOtherCases } from './char-set.ts';
import type { CharSet } from './char-set.ts';
import type { PatternNode } from './pattern-node.ts';
import { sequenceOf } from './pattern-node.ts';

/** Thrown where a pattern uses what the matcher does not take; the message says what to do. */
export class PatternRefused extends Error {}

/** The options under which a part of a pattern is read: other cases too, `^ $` at lines, `.` for line feeds. */
interface Options {
  readonly i: boolean;
  readonly m: boolean;
  readonly s: boolean;
}

/** Classes as RE2 defines them: ASCII only, and `\s` without the vertical tab that PCRE adds. */
const perlClasses: Readonly<Record<string, CharSet>> = {
  d: [[0x30, 0x39]],
  w: [
    [0x30, 0x39],
    [0x41, 0x5a],
    [0x5f, 0x5f],
    [0x61, 0x7a],
  ],
  s: [
    [0x09, 0x0a],
    [0x0c, 0x0d],
    [0x20, 0x20],
  ],
};

const controlEscapes: Readonly<Record<string, number>> = { a: 7, f: 12, t: 9, n: 10, r: 13, v: 11 };
const quantifier = /[*+?]|\{(\d+)(?:,(\d*))?\}/y;
const groupOptions = /\(\?([ims]*)(?:-([ims]+))?([:)])/y;
const groupName = /\(\?P?<[A-Za-z_]\w*>/y;
const hexEscape = /x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})/y;
const lineFeed = charOf(10);

/**
 * Reads a regular expression that RE2 has accepted into a tree without options and groups.
 *
 * Taken are literals, `.`, classes, `\d \w \s \b` and their opposites, `^ $ \A \z`, groups, choices, repetitions and the
 * options `i m s`, also inline: what PCRE, which MongoDB uses, and RE2 can both be told in words that they understand
 * alike. Lazy and greedy do not differ in whether there is a match, and are read alike.
 *
 * @param source - The pattern.
 * @param options - Any of `i m s`.
 * @param countCased - Is told how many characters are about to be given their other cases, and throws where that is too much.
 * @throws PatternRefused for Unicode classes (the engines' tables differ), octal escapes, `\Q`, `\C` and POSIX classes.
 */
export function parsePattern(
  source: string,
  options: string,
  countCased: (chars: number) => void = () => undefined,
): PatternNode {
  return new PatternReader(source, countCased).read({
    i: options.includes('i'),
    m: options.includes('m'),
    s: options.includes('s'),
  });
}

class PatternReader {
  readonly #source: string;
  readonly #countCased: (chars: number) => void;
  #at = 0;

  constructor(source: string, countCased: (chars: number) => void) {
    this.#source = source;
    this.#countCased = countCased;
  }

  read(options: Options): PatternNode {
    const node = this.#choice(options);
    if (this.#at < this.#source.length) throw new PatternRefused('Close groups only where one is open.');
    return node;
  }

  /** Takes the text that a sticky expression finds here. */
  #take(expression: RegExp): RegExpExecArray | undefined {
    expression.lastIndex = this.#at;
    const match = expression.exec(this.#source);
    if (match !== null) this.#at += match[0].length;
    return match ?? undefined;
  }

  #takeChar(): string {
    const char = String.fromCodePoint(this.#source.codePointAt(this.#at) ?? 0);
    this.#at += char.length;
    return char;
  }

  #next(): string | undefined {
    return this.#source[this.#at];
  }

  #choice(options: Options): PatternNode {
    const choices: PatternNode[] = [];
    let parts: PatternNode[] = [];
    // An inline option, (?i), holds to the end of its group, over the bars in it.
    let current = options;
    for (;;) {
      const char = this.#next();
      if (char === undefined || char === ')') break;
      const inline = this.#inlineOptions(current);
      if (inline !== undefined) {
        current = inline;
      } else if (char === '|') {
        this.#at += 1;
        choices.push(sequenceOf(parts));
        parts = [];
      } else {
        parts.push(this.#repeated(current));
      }
    }
    const last = sequenceOf(parts);
    return choices.length === 0 ? last : { kind: 'choice', parts: [...choices, last] };
  }

  #inlineOptions(options: Options): Options | undefined {
    const start = this.#at;
    const match = this.#take(groupOptions);
    if (match === undefined) return undefined;
    if (match[3] === ')') return changed(options, match);
    this.#at = start;
    return undefined;
  }

  #repeated(options: Options): PatternNode {
    const body = this.#single(options);
    const match = this.#take(quantifier);
    if (match === undefined) return body;
    if (this.#next() === '?') this.#at += 1;
    const [text, low, high] = match;
    if (text === '*') return { kind: 'repeat', body, min: 0, max: Infinity };
    if (text === '+') return { kind: 'repeat', body, min: 1, max: Infinity };
    if (text === '?') return { kind: 'repeat', body, min: 0, max: 1 };
    const min = Number(low);
    const max = high === undefined ? min : high === '' ? Infinity : Number(high);
    return { kind: 'repeat', body, min, max };
  }

  #single(options: Options): PatternNode {
    const char = this.#next();
    if (char === '(') return this.#group(options);
    if (char === '[') return chars(this.#charClass(options));
    if (char === '\\') return this.#escape(options);
    const literal = this.#takeChar();
    if (literal === '.') return { kind: 'chars', set: options.s ? anyChar : complement(lineFeed) };
    if (literal === '^') return { kind: 'place', place: options.m ? 'line-start' : 'text-start' };
    if (literal === '$') return { kind: 'place', place: options.m ? 'line-end' : 'text-end' };
    return chars(this.#cased(charOf(literal.codePointAt(0) ?? 0), options));
  }

  #group(options: Options): PatternNode {
    const match = this.#take(groupOptions);
    if (match === undefined && this.#take(groupName) === undefined) this.#at += 1;
    if (this.#next() === '?') throw new PatternRefused('Use plain groups and the options i, m and s.');
    const node = this.#choice(match === undefined ? options : changed(options, match));
    if (this.#next() !== ')') throw new PatternRefused('Close every group.');
    this.#at += 1;
    return node;
  }

  #escape(options: Options): PatternNode {
    switch (this.#source[this.#at + 1]) {
      case 'A':
        this.#at += 2;
        return { kind: 'place', place: 'text-start' };
      case 'z':
        this.#at += 2;
        return { kind: 'place', place: 'text-end' };
      case 'b':
        this.#at += 2;
        return { kind: 'place', place: 'word-edge' };
      case 'B':
        this.#at += 2;
        return { kind: 'place', place: 'no-word-edge' };
      default:
        return chars(this.#escapedSet(options));
    }
  }

  /** What a backslash and the characters after it stand for, in a class or outside. */
  #escapedSet(options: Options): CharSet {
    this.#at += 1;
    const hex = this.#take(hexEscape);
    if (hex !== undefined) return this.#cased(charOf(Number.parseInt(hex[1] ?? hex[2] ?? '', 16)), options);
    const char = this.#takeChar();
    const perlClass = perlClasses[char.toLowerCase()];
    if (perlClass !== undefined) return char === char.toLowerCase() ? perlClass : complement(perlClass);
    const control = controlEscapes[char];
    if (control !== undefined) return charOf(control);
    if (/[A-Za-z0-9]/.test(char)) {
      throw new PatternRefused(`Write the pattern without \`\\${char}\`: classes are \\d, \\w, \\s and [...].`);
    }
    return this.#cased(charOf(char.codePointAt(0) ?? 0), options);
  }

  #cased(set: CharSet, options: Options): CharSet {
    if (!options.i) return set;
    this.#countCased(sizeOf(set));
    return withOtherCases(set);
  }

  #charClass(options: Options): CharSet {
    this.#at += 1;
    const negated = this.#next() === '^';
    if (negated) this.#at += 1;
    const sets: CharSet[] = [];
    while (this.#next() !== ']' || sets.length === 0) {
      if (this.#next() === undefined) throw new PatternRefused('Close every class.');
      sets.push(this.#classItem(options));
    }
    this.#at += 1;
    const set = union(...sets);
    return negated ? complement(set) : set;
  }

  #classItem(options: Options): CharSet {
    const plain: Options = { ...options, i: false };
    const low = this.#classChar(plain);
    const isRange = this.#next() === '-' && this.#source[this.#at + 1] !== ']' && sizeOf(low) === 1;
    // A class such as \d has no other cases.
    if (!isRange) return sizeOf(low) === 1 ? this.#cased(low, options) : low;
    this.#at += 1;
    const high = this.#classChar(plain);
    const from = low[0]?.[0] ?? 0;
    const to = high.at(-1)?.[1] ?? 0;
    if (sizeOf(high) !== 1 || to < from)
      throw new PatternRefused('Write ranges from the lower to the higher character.');
    return this.#cased([[from, to]], options);
  }

  #classChar(options: Options): CharSet {
    if (this.#next() === '\\') return this.#escapedSet(options);
    if (this.#source.startsWith('[:', this.#at)) {
      throw new PatternRefused('Write classes as ranges, such as [A-Za-z], not by POSIX names.');
    }
    return charOf(this.#takeChar().codePointAt(0) ?? 0);
  }
}

function changed(options: Options, match: RegExpExecArray): Options {
  const isOn = (flag: 'i' | 'm' | 's'): boolean =>
    (options[flag] || (match[1] ?? '').includes(flag)) && !(match[2] ?? '').includes(flag);
  return { i: isOn('i'), m: isOn('m'), s: isOn('s') };
}

function chars(set: CharSet): PatternNode {
  // Twice the complement is the set without halves of surrogate pairs, which no text contains.
  const inText = complement(complement(set));
  if (inText.length === 0) throw new PatternRefused('Leave out what can match no character.');
  return { kind: 'chars', set: inText };
}
