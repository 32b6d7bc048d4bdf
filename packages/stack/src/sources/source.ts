import type { Reporter } from '../report.ts';
import { StackError, wordsOf } from '../stack-error.ts';

/** One place where something may be had. */
export interface Source<T> {
  /** For the word that is said when it is passed over. */
  readonly name: string;
  /**
   * @returns what was found; `undefined` when there is nothing here, which is not worth a word
   * @throws Unavailable when it should be here, or might be, and cannot be had
   */
  readonly find: () => T | undefined | Promise<T | undefined>;
}

/** A source that is passed over with a word for another one. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}

/** None of the sources had it; where this was one way among others, the others are tried. */
export class NothingLeft extends StackError {}

/**
 * @param what - what is looked for, for a person
 * @param sources - in the order of preference
 * @param install - what to do when none has it
 * @throws NothingLeft that says what to install
 */
export async function firstOf<T>(
  what: string,
  sources: readonly Source<T>[],
  install: string,
  { say }: Pick<Reporter, 'say'>,
): Promise<T> {
  const passedOver: string[] = [];
  for (const { name, find } of sources) {
    try {
      const found = await find();
      if (found !== undefined) return found;
    } catch (error) {
      if (!(error instanceof Unavailable || error instanceof NothingLeft)) throw error;
      const words = `${name}: ${wordsOf(error)}`;
      passedOver.push(words);
      say(`${what}: passing over ${words}`);
    }
  }
  throw new NothingLeft(
    [`there is no ${what} to be had here.`, ...passedOver.map((words) => `  ${words}`), install].join('\n'),
  );
}
