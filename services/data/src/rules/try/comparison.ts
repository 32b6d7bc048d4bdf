import type { DeclaredField } from '../../fields/declared-field.ts';
import type { AskedCaller } from './caller-tally.ts';
import { CallerTally } from './caller-tally.ts';

/** What is found of all callers. */
export class Comparison {
  readonly #callers: readonly AskedCaller[];
  readonly #fields: readonly DeclaredField[];
  readonly #tallies: ReadonlyMap<AskedCaller, CallerTally>;

  constructor(callers: readonly AskedCaller[], fields: readonly DeclaredField[]) {
    this.#callers = callers;
    this.#fields = fields;
    this.#tallies = new Map(callers.map((each) => [each, new CallerTally(fields)]));
  }

  /** Counts what is found of all callers; of none where the time is up before. */
  async forEach(compare: (caller: AskedCaller['caller'], tally: CallerTally) => Promise<void>): Promise<void> {
    const found = new Map<AskedCaller, CallerTally>();
    for (const each of this.#callers) {
      const tally = new CallerTally(this.#fields);
      await compare(each.caller, tally);
      found.set(each, tally);
    }
    for (const [each, tally] of found) this.#tallies.get(each)?.add(tally);
  }

  /** By caller, in their order. */
  get all(): readonly (readonly [AskedCaller, CallerTally])[] {
    return [...this.#tallies];
  }
}
