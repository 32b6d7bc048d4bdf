/**
 * How often somebody may guess. A place is taken before anything is looked at, and whoever gets in gives all that were taken until
 * then back: guesses that are made at once cannot overtake each other.
 */
export interface GuessRules {
  /** By devices that the account has not been signed in from. */
  readonly strangers: BudgetRules;
  /** By devices where its owner's mail is read: they get in while strangers are locked out. */
  readonly mailed: BudgetRules;
  /** By devices that it has been signed in from: they get in while readers of the mail are locked out, too. */
  readonly known: BudgetRules;
  /** By devices where its second factor was shown: they get in while whoever has shown one proof is locked out, too. */
  readonly proven: BudgetRules;
  /** From one address block. */
  readonly block: WindowRules;
  /** From everywhere. */
  readonly overall: WindowRules;
}

/** How many places an account has in a row. */
export interface BudgetRules {
  /** Beyond, nobody of these gets a place until the account is cleared. */
  readonly places: number;
  /** Beyond, one device gets none of them: it takes those of others from nobody. All are anybody's where that is undefined. */
  readonly perDevice?: number;
  /** The last of them are for devices that hold few. */
  readonly reserve?: {
    readonly places: number;
    /** None of these is had by a device that holds so many places. */
    readonly upTo: number;
  };
  /** Milliseconds until the next place once so many are taken, from one on; the last is for all that follow. */
  readonly delaysMs: readonly number[];
}

/** How many places there are in a window of time. */
export interface WindowRules {
  readonly places: number;
  readonly windowMs: number;
}

/** The longest pause between two guesses. */
export const longestDelayMs = 15 * 60_000;

const dayMs = 24 * 60 * 60_000;

/** Delays of a second and twice as long each time, after some places that cost none: people mistype. */
const delaysAfter = (free: number): number[] => {
  const doublings = Math.ceil(Math.log2(longestDelayMs / 1000));
  const growing = Array.from({ length: doublings + 1 }, (_, index) => Math.min(1000 * 2 ** index, longestDelayMs));
  return [...Array<number>(free - 1).fill(0), ...growing];
};

/** A sign-in with a code takes two of them, so that somebody may mistype both. */
const perDevice = 5;

/**
 * Whoever was in with the second factor once, and is so again and again, has several devices by it: two that hold all that they can leave ten places
 * to others, two for each, which is one sign-in with a code. Of the devices that are known by less anybody makes as many as they please who has shown
 * as much, so that a reserve would keep nothing.
 */
const reserve = { places: 10, upTo: 2 };

/**
 * The rules. An account has 100 places in a row at most (NIST SP 800-63B §3.2.2), 45 of them for devices that it knows ("device cookies",
 * OWASP Authentication Cheat Sheet), five for each.
 *
 * @param limits - guesses from one address block in 15 minutes, and from everywhere in a minute
 */
export const guessRules = (limits: { readonly perBlock: number; readonly overall: number }): GuessRules => ({
  strangers: { places: 55, delaysMs: delaysAfter(5) },
  mailed: { places: 10, delaysMs: [0], perDevice },
  known: { places: 15, delaysMs: [0], perDevice },
  proven: { places: 20, delaysMs: [0], perDevice, reserve },
  block: { places: limits.perBlock, windowMs: 15 * 60_000 },
  overall: { places: limits.overall, windowMs: 60_000 },
});

/**
 * Whether there is no place left.
 *
 * @param held - by all
 * @param own - of these, by the device that asks; undefined where devices are not counted apart
 */
export const isFull = ({ places, perDevice = places, reserve }: BudgetRules, held: number, own = 0): boolean =>
  held >= places ||
  own >= perDevice ||
  (reserve !== undefined && held >= places - reserve.places && own >= reserve.upTo);

/** How long nobody gets a place where so many are held. */
export const delayOf = ({ delaysMs }: BudgetRules, held: number): number =>
  held === 0 ? 0 : (delaysMs[held - 1] ?? delaysMs.at(-1) ?? 0);

/**
 * For how long what is held of an account is remembered: a day for each place, 30 at most. So the rate of guesses over a long time is no
 * higher than with 30 days for all, and whoever makes addresses up fills the memory for a day.
 */
export const memoryOf = (held: number): number => Math.min(Math.max(held, 1) * dayMs, longestMemoryMs);

/** Nothing that was guessed is remembered for longer. */
export const longestMemoryMs = 30 * dayMs;
