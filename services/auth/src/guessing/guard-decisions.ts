import { stateOf } from '@causeway/events';
import type { Decision } from '@causeway/events';

import type { GuardDocument } from './guard.model.ts';
import { cleared, failed, locked } from './guards.events.ts';
import type { Failures } from './guards.events.ts';
import type { ClearedBy, GuessNote } from './guess-journal.ts';

/** What is told by one event. */
export type Telling =
  | ({ readonly what: 'failed' } & Failures)
  | { readonly what: 'locked'; readonly at: Date }
  | { readonly what: 'cleared'; readonly by: ClearedBy };

/** While an account stays locked it is told again so often: the link that was mailed is over by then. */
const toldAgainMs = 24 * 3_600_000;

/** Addresses that one event names at most. */
const mostAddresses = 10;

const failuresOf = (notes: readonly (GuessNote & { readonly what: 'failed' })[]): Failures => {
  const times = notes.map(({ at }) => at.getTime());
  return {
    count: notes.length,
    paths: [...new Set(notes.map(({ path }) => path))].sort(),
    addresses: [...new Set(notes.flatMap(({ ip = '' }) => (ip === '' ? [] : [ip])))].slice(0, mostAddresses),
    emails: new Set(notes.map(({ emailKey }) => emailKey)).size,
    from: new Date(Math.min(...times)),
    to: new Date(Math.max(...times)),
  };
};

/**
 * What is told of notes.
 *
 * @param notes - of one account, or of all addresses that nobody has, the oldest first
 * @returns wrong guesses that follow on one another in one telling
 */
export const tellingsOf = (notes: readonly GuessNote[]): Telling[] => {
  const tellings: Telling[] = [];
  let run: (GuessNote & { readonly what: 'failed' })[] = [];
  const tellRun = (): void => {
    if (run.length > 0) tellings.push({ what: 'failed', ...failuresOf(run) });
    run = [];
  };
  for (const note of notes) {
    if (note.what === 'failed') {
      run.push(note);
    } else {
      tellRun();
      tellings.push(note);
    }
  }
  tellRun();
  return tellings;
};

/**
 * What an account's guard comes to.
 *
 * @param accountId - undefined for that of nobody, which is never locked
 * @param current - undefined where there is none yet
 * @returns undefined where that is nothing new
 */
export const decide = (
  accountId: string | undefined,
  current: GuardDocument | undefined,
  telling: Telling,
): Decision<GuardDocument> | undefined => {
  const state = current === undefined ? { failures: 0 } : stateOf(current);
  if (telling.what === 'failed')
    return { state: { ...state, failures: state.failures + telling.count }, event: failed(accountId, telling) };
  if (accountId === undefined) return undefined;
  if (telling.what === 'locked') {
    const { lockedAt } = state;
    if (lockedAt !== undefined && telling.at.getTime() - lockedAt.getTime() < toldAgainMs) return undefined;
    return { state: { ...state, lockedAt: telling.at }, event: locked(accountId) };
  }
  if (state.failures === 0 && state.lockedAt === undefined) return undefined;
  const { lockedAt: _over, ...rest } = state;
  return { state: { ...rest, failures: 0 }, event: cleared(accountId, telling.by) };
};
