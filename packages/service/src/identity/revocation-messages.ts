import type { Ending } from './ending.ts';

/** The channels of Redis that ends are told over. Nothing is kept there: a Redis that is flushed, or comes back empty, has lost nothing. */
export const revocationChannels = (prefix: string) => ({
  /** Every end, as it happens. */
  told: `${prefix}:revocations`,
  /** Who hears asks here whether they have heard everything. */
  asked: `${prefix}:revocations:asked`,
  /** @returns where one of them is answered */
  answered: (listener: string) => `${prefix}:revocations:to:${listener}`,
});

/** An end on its way: id, until, and of an account the version. */
type Packed = readonly [id: string, untilMs: number, below?: number];

/** Ends that have just happened. */
export interface Told {
  /** A process of auth. */
  readonly teller: string;
  /** Rises by one with each message of this teller: a listener sees that one is missing. */
  readonly seq: number;
  readonly ended: readonly Packed[];
}

/** A part of everything that a teller knows. */
export interface Part {
  readonly teller: string;
  /** Of which collection of parts. */
  readonly whole: number;
  readonly ended: readonly Packed[];
}

/** Whether I have heard everything? */
export interface Question {
  readonly listener: string;
  /** Rises with each question of this listener. */
  readonly question: number;
  /** Everything is to be told anew. */
  readonly all: boolean;
}

/** Whoever has heard this teller up to here knows of everything that had been committed when the question was asked. */
export interface Answer {
  readonly teller: string;
  readonly question: number;
  readonly upTo: number;
  /** Where everything was asked for: what was sent before this. */
  readonly all?: { readonly whole: number; readonly parts: number; readonly forgottenUntilMs: number };
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '' && value.length <= 128;

const isPacked = (value: unknown): value is Packed =>
  Array.isArray(value) &&
  isText(value[0]) &&
  typeof value[1] === 'number' &&
  (value.length === 2 || (value.length === 3 && isCount(value[2])));

const isEnded = (value: unknown): value is readonly Packed[] => Array.isArray(value) && value.every(isPacked);

const parse = (message: string): Readonly<Record<string, unknown>> => {
  try {
    const value: unknown = JSON.parse(message);
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
};

/** @returns undefined for what is none of ours */
export const parseTold = (message: string): Told | undefined => {
  const { teller, seq, ended } = parse(message);
  return isText(teller) && isCount(seq) && isEnded(ended) ? { teller, seq, ended } : undefined;
};

/** @returns undefined for what is none of ours */
export const parseQuestion = (message: string): Question | undefined => {
  const { listener, question, all } = parse(message);
  return isText(listener) && isCount(question) && typeof all === 'boolean' ? { listener, question, all } : undefined;
};

const parseAll = (value: unknown): Answer['all'] => {
  const { whole, parts, forgottenUntilMs } = (value ?? {}) as Readonly<Record<string, unknown>>;
  return isCount(whole) && isCount(parts) && isCount(forgottenUntilMs) ? { whole, parts, forgottenUntilMs } : undefined;
};

/** @returns undefined for what is none of ours */
export const parseToListener = (message: string): Part | Answer | undefined => {
  const { teller, whole, ended, question, upTo, all } = parse(message);
  if (!isText(teller)) return undefined;
  if (isCount(whole) && isEnded(ended)) return { teller, whole, ended };
  if (!isCount(question) || !isCount(upTo)) return undefined;
  const everything = parseAll(all);
  return { teller, question, upTo, ...(everything !== undefined && { all: everything }) };
};

export const pack = (ending: Ending): Packed =>
  'sid' in ending ? [ending.sid, ending.untilMs] : [ending.sub, ending.untilMs, ending.below];

export const unpack = ([id, untilMs, below]: Packed): Ending =>
  below === undefined ? { sid: id, untilMs } : { sub: id, below, untilMs };
