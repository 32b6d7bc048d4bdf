import { readAfter } from '@causeway/events';
import type { Events } from '@causeway/events';
import type { AskWhichEnded } from '@causeway/service';
import type { MongoClient } from 'mongodb';

import { accountsCollection } from '../accounts/account.model.ts';
import { sessionsCollection } from '../sessions/session.model.ts';

/** What {@link createWhichEnded} is given. */
export interface WhichEndedDependencies {
  readonly client: MongoClient;
  readonly events: Pick<Events, 'db' | 'mark'>;
}

/** Whoever asks waits a second. */
const markWithinMs = 700;
const readWithinMs = 700;

interface SessionRow {
  readonly _id: string;
  readonly status: 'live' | 'ended';
  readonly accountId: string;
}

interface AccountRow {
  readonly _id: string;
  readonly accessVersion?: number;
}

/**
 * Says of tokens whether they have ended, by the database, and of nothing older than the question: a mark that a majority has taken is waited
 * for, and read after. A session that is not there has ended, and so has all of an account that is not there.
 *
 * @returns takes tokens, and says of each whether it has ended; it throws where MongoDB does not say for certain
 */
export const createWhichEnded =
  ({ client, events: { db, mark } }: WhichEndedDependencies): AskWhichEnded =>
  async (tokens) => {
    const place = await mark(markWithinMs);
    const [sids, subs] = [new Set(tokens.map(({ sid }) => sid)), new Set(tokens.map(({ sub }) => sub))];
    return readAfter(client, place, async (options) => {
      const read = { ...options, maxTimeMS: readWithinMs };
      const live = await db
        .collection<SessionRow>(sessionsCollection)
        .find({ _id: { $in: [...sids] }, status: 'live' }, { ...read, projection: { accountId: 1 } })
        .toArray();
      const accounts = await db
        .collection<AccountRow>(accountsCollection)
        .find({ _id: { $in: [...subs] } }, { ...read, projection: { accessVersion: 1 } })
        .toArray();
      const ownerOf = new Map(live.map(({ _id, accountId }) => [_id, accountId]));
      const versionOf = new Map(accounts.map(({ _id, accessVersion = 1 }) => [_id, accessVersion]));
      return tokens.map(({ sid, sub, accountVersion = 0 }) => {
        const version = versionOf.get(sub);
        // Tokens that name no version are of before there was one, when it was 1.
        return version === undefined || ownerOf.get(sid) !== sub || Math.max(accountVersion, 1) < version;
      });
    });
  };
