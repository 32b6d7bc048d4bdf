import type { Decider } from '../explain/explain-rule.ts';

/** Examples that are told. */
const mostExamples = 5;

/** What decided the first example, under the rules that are tried. */
export interface Reason {
  /** One sentence. */
  readonly because: string;
  readonly decidedBy: Pick<Decider, 'pointer' | 'words'> | null;
}

/** How often something comes about, and where. */
export interface Counted<Example> extends Partial<Reason> {
  readonly count: number;
  readonly examples: readonly Example[];
}

/** What somebody would be allowed that they are not, and what they would not be allowed any more. */
export interface Changes<Example> {
  readonly gains: Counted<Example>;
  readonly losses: Counted<Example>;
}

/** Counts {@link Changes}. */
export class ChangeTally<Example> {
  readonly #found = { gains: counter<Example>(), losses: counter<Example>() };

  /**
   * Notes whether something has been allowed, and would be.
   *
   * @param why - asked for the first example of each kind
   */
  note(was: boolean, is: boolean, example: Example, why: () => Reason | undefined): void {
    if (was === is) return;
    const own = this.#found[is ? 'gains' : 'losses'];
    own.count += 1;
    if (own.examples.length < mostExamples) own.examples.push(example);
    if (own.count === 1) own.reason = why();
  }

  /** Adds what another one has counted after it. */
  add({ all: { gains, losses } }: ChangeTally<Example>): void {
    for (const [own, { count, examples, because, decidedBy = null }] of [
      [this.#found.gains, gains],
      [this.#found.losses, losses],
    ] as const) {
      if (own.count === 0 && because !== undefined) own.reason = { because, decidedBy };
      own.count += count;
      own.examples.push(...examples.slice(0, mostExamples - own.examples.length));
    }
  }

  get isEmpty(): boolean {
    return this.#found.gains.count + this.#found.losses.count === 0;
  }

  get all(): Changes<Example> {
    const shown = ({ count, examples, reason }: Counter<Example>): Counted<Example> => ({
      count,
      examples: [...examples],
      ...reason,
    });
    return { gains: shown(this.#found.gains), losses: shown(this.#found.losses) };
  }
}

interface Counter<Example> {
  count: number;
  readonly examples: Example[];
  reason: Reason | undefined;
}

const counter = <Example>(): Counter<Example> => ({ count: 0, examples: [], reason: undefined });
