import type { KnownBy } from './guess.ts';

/** Who guesses, as far as it is counted. Names are made unrecognisable by whoever asks. */
export interface Guesser {
  /** Whose account it is, or would be. */
  readonly account: string;
  /** Where it comes from; undefined where that is not known. */
  readonly block?: string | undefined;
  /** Which places are theirs. What is done with others does not stop them. */
  readonly budget: BudgetName;
  /** From which device, where these are counted apart. */
  readonly device?: string | undefined;
}

/** Why nobody gets a place. */
export type Refusal = 'locked' | 'delayed' | 'block' | 'overall';

/** A place that was taken. */
export interface Place {
  readonly guesser: Guesser;
  /** Which one of its budget. */
  readonly number: number;
  /** How many the other budgets had taken by then, in the order of {@link budgetsOf}. */
  readonly others: readonly number[];
  /** Whether anything is there to be forgiven beside it, of any budget. */
  readonly hadOthers: boolean;
  /** Which windows it was counted in. */
  readonly windows: { readonly block?: number | undefined; readonly overall?: number | undefined };
}

/** What came of asking for a place. */
export type Taking =
  { readonly place: Place } | { readonly place?: undefined; readonly refusal: Refusal; readonly waitMs: number };

/** Counts guesses. */
export interface GuessCounters {
  /** Takes a place of each that is counted, or of none. */
  take(guesser: Guesser): Promise<Taking>;
  /** Whoever took it has got in: all that were taken until then are forgiven, those that were taken later are not. */
  clear(place: Place): Promise<void>;
  /** Nothing was looked at after all. */
  giveBack(place: Place): Promise<void>;
  /** Its owner is known by something else, such as a mailed link: all that were taken are forgiven. */
  clearAccount(account: string): Promise<void>;
}

/** The budgets of an account. */
export type BudgetName = 'strangers' | KnownBy;

/** All of them. */
export const budgetNames = ['strangers', 'mailed', 'known', 'proven'] as const satisfies readonly BudgetName[];

/** Which budget a guesser has, and which it has not. */
export const budgetsOf = ({
  budget,
}: Pick<Guesser, 'budget'>): readonly [own: BudgetName, ...others: readonly BudgetName[]] => [
  budget,
  ...budgetNames.filter((name) => name !== budget),
];

/** The windows that a guesser is counted in: a known device is in none. */
export const windowsOf = ({ budget, block }: Pick<Guesser, 'budget' | 'block'>): readonly ('block' | 'overall')[] => {
  if (budget !== 'strangers') return [];
  return block === undefined ? ['overall'] : ['block', 'overall'];
};
