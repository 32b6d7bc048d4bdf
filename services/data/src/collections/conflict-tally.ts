const maxExamples = 5;
/** More are not counted: who has so many to change looks again afterwards. */
export const mostCounted = 1_000;

/** Why a definition would be refused. */
export interface DefinitionConflict {
  /** What of the definition is broken: `/schema`, `/indexes/2`. */
  readonly pointer: string;
  readonly detail: string;
  /** How many examples there are, up to a bound. */
  readonly count: number;
  readonly examples: readonly object[];
}

/** What would be in the way of a definition, by what it breaks. */
export class ConflictTally {
  readonly #found = new Map<
    string,
    { readonly pointer: string; readonly detail: string; count: number; examples: object[] }
  >();

  /** Notes an example of something that is in the way. */
  add(pointer: string, detail: string, example: object): void {
    const key = `${pointer} ${detail}`;
    const known = this.#found.get(key) ?? { pointer, detail, count: 0, examples: [] };
    this.#found.set(key, known);
    if (known.count < mostCounted) known.count += 1;
    if (known.examples.length < maxExamples) known.examples.push(example);
  }

  /** Whether no more examples of it are counted. */
  isFull(pointer: string, detail: string): boolean {
    return this.#found.get(`${pointer} ${detail}`)?.count === mostCounted;
  }

  get all(): readonly DefinitionConflict[] {
    return [...this.#found.values()];
  }
}
