import type { BloomFilter } from './bloom-filter.ts';

/** A word is what at least so many letters are: less is found in too many good passwords. */
const shortestWord = 4;

/** So much is put around a word to please a rule: more is a secret of its own. */
const longestDecoration = 6;

/** What stands for a letter, to whoever guesses too. */
const leet: Readonly<Record<string, string>> = {
  ...{ '0': 'o', '!': 'i', '3': 'e', '4': 'a', '@': 'a', '5': 's', $: 's', '7': 't', '+': 't', '8': 'b', '9': 'g' },
};

/** Rows of keyboards, and the order of letters and digits: what a finger or an eye runs along. */
const runs = [
  ...['1234567890', 'abcdefghijklmnopqrstuvwxyz', 'qwertyuiop', 'asdfghjkl', 'zxcvbnm', 'qwertzuiop', 'yxcvbnm'],
  ...['azertyuiop', 'qsdfghjklm', 'wxcvbn'],
];
const ways = runs.flatMap((run) => [run, Array.from(run).reverse().join('')]);

/** `1` is read as `l` and as `i`. */
const readLeet = (text: string, one: 'l' | 'i'): string =>
  Array.from(text, (each) => (each === '1' ? one : (leet[each] ?? each))).join('');

/** Without the digits and signs around it, where these are no more than decoration. */
const undecorated = (text: string): string | undefined => {
  const [, before = '', word = '', after = ''] = /^([^\p{L}]*)(.*?)([^\p{L}]*)$/su.exec(text) ?? [];
  if (Array.from(before + after).length > longestDecoration) return undefined;
  return Array.from(word).length >= shortestWord && word !== text ? word : undefined;
};

/** What is said again and again. */
const repeated = (text: string): string | undefined => /^(.+?)\1+$/su.exec(text)?.[1];

/** Whether a text runs along a keyboard, an alphabet or the digits, or stands on one key, in pieces of four at least. */
const isRun = (text: string): boolean => {
  let rest = text;
  while (rest.length > 0) {
    let length = /^(.)\1*/su.exec(rest)?.[0].length ?? 1;
    for (const way of ways) {
      const from = way.indexOf(rest[0] ?? '');
      if (from < 0) continue;
      let end = 1;
      // The digits go round: 0 comes after 9, and 1 after 0.
      while (end < rest.length && rest[end] === way[(from + end) % way.length]) end += 1;
      length = Math.max(length, end);
    }
    if (length < shortestWord) return false;
    rest = rest.slice(length);
  }
  return true;
};

/** What somebody who guesses tries of a password that looks like this one. */
const guesses = (password: string): ReadonlySet<string> => {
  const plain = password.normalize('NFKC').toLowerCase();
  const found = new Set([plain]);
  for (const each of found) {
    const shorter = [undecorated(each), repeated(each), readLeet(each, 'l'), readLeet(each, 'i')];
    for (const next of shorter) if (next !== undefined && found.size < 32) found.add(next);
  }
  return found;
};

/** Finds passwords that somebody else guesses first. */
export type CommonPasswords = (password: string, own: readonly string[]) => boolean;

/**
 * Makes what finds common passwords: those that are in a list of what is used most and has been breached, also with letters written as
 * digits, decorated with digits and signs, or said more than once; what runs along a keyboard; and what is the person's own name.
 *
 * @param list - what is used most
 * @returns whether a password is one of them; `own` is what everybody knows of the person, such as the address
 */
export const createCommonPasswords = (list: Pick<BloomFilter, 'has'>): CommonPasswords => {
  return (password, own) => {
    const known = new Set(own.map((each) => each.normalize('NFKC').toLowerCase()).filter((each) => each !== ''));
    for (const guess of guesses(password)) {
      if (guess.length >= shortestWord && (list.has(guess) || known.has(guess) || isRun(guess))) return true;
    }
    return false;
  };
};
