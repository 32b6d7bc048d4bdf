import type { Collection, Db, ObjectId } from 'mongodb';

import type { GuessPath } from './guess.ts';

/** By what an account takes guesses again. */
export type ClearedBy = 'known-device' | 'mailed-link' | 'sign-in';

/** What came of a guess, until it is told by an event some seconds later. */
export type GuessNote = { readonly at: Date; readonly emailKey: string } & (
  | { readonly what: 'failed'; readonly path: GuessPath; readonly ip?: string }
  | { readonly what: 'locked' }
  | { readonly what: 'cleared'; readonly by: ClearedBy }
);

/** As it is kept. */
export type KeptNote = GuessNote & { readonly _id: ObjectId };

/** The collection's name. */
export const guessNotesCollection = 'guess-notes';

/** @param db - this service's, at majority */
export const guessNotes = (db: Db): Collection<KeptNote> => db.collection<KeptNote>(guessNotesCollection);

/** Notes what comes of guesses: of an address that somebody has and of one that nobody has alike, by one write each. */
export interface GuessJournal {
  /** A guess was wrong. Kept before whoever guesses is told. */
  failed(guess: {
    readonly emailKey: string;
    readonly path: GuessPath;
    readonly ip?: string | undefined;
  }): Promise<void>;
  /** Nothing is looked at any more, from devices that the account does not know. */
  locked(emailKey: string): Promise<void>;
  /** What was guessed counts no more. */
  cleared(emailKey: string, by: ClearedBy): Promise<void>;
}

/** How {@link createGuessJournal} is wired. */
export interface GuessJournalOptions {
  readonly notes: Pick<Collection<KeptNote>, 'insertOne'>;
  readonly now: () => Date;
}

/** Whoever goes on at a locked account would have a write of each of their calls: so often it is noted by one process. */
const lockedEveryMs = 60_000;
/** Accounts that are locked at once, as far as that is remembered; beyond, one is noted more often. */
const mostLocked = 10_000;

/** Makes it. */
export function createGuessJournal({ notes, now }: GuessJournalOptions): GuessJournal {
  const notedAt = new Map<string, number>();
  const add = async (note: GuessNote): Promise<void> => {
    // The driver makes its `_id`.
    await notes.insertOne(note as KeptNote);
  };
  const isNoted = (emailKey: string): boolean => {
    const last = notedAt.get(emailKey);
    const at = now().getTime();
    if (last !== undefined && at - last < lockedEveryMs && at >= last) return true;
    notedAt.delete(emailKey);
    notedAt.set(emailKey, at);
    const [oldest] = notedAt.keys();
    if (notedAt.size > mostLocked && oldest !== undefined) notedAt.delete(oldest);
    return false;
  };
  return {
    failed: ({ emailKey, path, ip }) =>
      add({ at: now(), emailKey, what: 'failed', path, ...(ip === undefined ? {} : { ip }) }),
    async locked(emailKey) {
      if (!isNoted(emailKey)) await add({ at: now(), emailKey, what: 'locked' });
    },
    async cleared(emailKey, by) {
      notedAt.delete(emailKey);
      await add({ at: now(), emailKey, what: 'cleared', by });
    },
  };
}
