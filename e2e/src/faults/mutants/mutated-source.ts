import type { Mutant } from './mutants.ts';

/** @throws Error where the piece is not in the text exactly once */
export function mutatedSource(
  text: string,
  { name, file, from, to }: Pick<Mutant, 'name' | 'file' | 'from' | 'to'>,
): string {
  const times = text.split(from).length - 1;
  if (times !== 1)
    throw new Error(`the mutant ${name} does not fit ${file} any more: what it replaces is there ${times} times`);
  // A function, so that no part of it is taken for a pattern.
  return text.replace(from, () => to);
}
