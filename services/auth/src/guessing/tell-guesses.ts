import type { Cause } from '@causeway/contracts';
import { DuplicateKey } from '@causeway/events';
import type { Persons, RecordedCollection } from '@causeway/events';
import type { ClientSession, Collection } from 'mongodb';

import type { AccountDocument } from '../accounts/account.model.ts';
import { decide, tellingsOf } from './guard-decisions.ts';
import type { Telling } from './guard-decisions.ts';
import { nobodysGuard } from './guard.model.ts';
import type { GuardDocument } from './guard.model.ts';
import type { GuessNote, KeptNote } from './guess-journal.ts';

/** Notes that become events in one transaction. */
const chunk = 500;

/** What {@link createTellGuesses} is given. */
export interface TellGuessesDependencies {
  readonly notes: Pick<Collection<KeptNote>, 'find' | 'deleteMany'>;
  readonly accounts: Pick<RecordedCollection<AccountDocument>, 'native'>;
  readonly guards: Pick<RecordedCollection<GuardDocument>, 'create' | 'native' | 'update'>;
  readonly persons: Pick<Persons, 'enter'>;
  readonly transaction: <T>(work: (session: ClientSession) => Promise<T>) => Promise<T>;
}

/**
 * Makes events of what was noted of guesses, one for all of an account within some seconds: a flood of guesses is no flood of events.
 * Replicas may do it at once: the notes are gone in the transaction of their events.
 *
 * @returns a job; it takes its cause and a signal that stops it, and gives the number of notes
 */
export function createTellGuesses({ notes, accounts, guards, persons, transaction }: TellGuessesDependencies) {
  const tell = async (cause: Cause, accountId: string | undefined, telling: Telling, session: ClientSession) => {
    const _id = accountId ?? nobodysGuard;
    if ((await guards.native.findOne({ _id }, { session, projection: { _id: 1 } })) !== null) {
      await guards.update(cause, _id, (current) => decide(accountId, current, telling), { session });
      return;
    }
    const first = decide(accountId, undefined, telling);
    if (first !== undefined) await guards.create(cause, { _id, ...first }, { session });
  };

  /** Whose each address is; of whoever is being erased, nobody's. */
  const ownersOf = async (found: readonly KeptNote[], session: ClientSession): Promise<Map<string, string>> => {
    const emailKey = { $in: [...new Set(found.map((note) => note.emailKey))] };
    const rows = await accounts.native.find({ emailKey }, { session, projection: { emailKey: 1 } }).toArray();
    const owners = new Map<string, string>();
    for (const row of rows) if (await persons.enter(row._id, session)) owners.set(row.emailKey, row._id);
    return owners;
  };

  const tellSome = (cause: Cause): Promise<number> =>
    transaction(async (session) => {
      const found = await notes.find({}, { session, sort: { at: 1, _id: 1 }, limit: chunk }).toArray();
      if (found.length === 0) return 0;
      const owners = await ownersOf(found, session);
      const ofOwner = new Map<string | undefined, GuessNote[]>();
      for (const note of found) {
        const owner = owners.get(note.emailKey);
        ofOwner.set(owner, [...(ofOwner.get(owner) ?? []), note]);
      }
      for (const [owner, own] of ofOwner)
        for (const telling of tellingsOf(own)) await tell(cause, owner, telling, session);
      await notes.deleteMany({ _id: { $in: found.map(({ _id }) => _id) } }, { session });
      return found.length;
    });

  /** Mostly there is nothing, and no transaction for it. */
  const isSomeThere = async (): Promise<boolean> =>
    (await notes.find({}, { projection: { _id: 1 }, limit: 1 }).toArray()).length > 0;

  return async (cause: Cause, signal: AbortSignal): Promise<number> => {
    let count = 0;
    while (!signal.aborted && (await isSomeThere())) {
      try {
        count += await tellSome(cause);
      } catch (error) {
        // Another replica made the account's first: the notes are its own then, or come up once more.
        if (!(error instanceof DuplicateKey)) throw error;
      }
    }
    return count;
  };
}
