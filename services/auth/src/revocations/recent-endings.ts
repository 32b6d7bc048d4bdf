import type { Events } from '@causeway/events';
import { everyVersion } from '@causeway/service';
import type { Ending } from '@causeway/service';

import { accountsCollection } from '../accounts/account.model.ts';
import { revokedUntil } from '../sessions/end-session.ts';
import type { SessionQueries } from '../sessions/session.model.ts';
import { accessTokenLifetimeS } from '../tokens/access-token.ts';

/** What {@link recentEndings} is given. */
export interface RecentEndingsDependencies {
  readonly events: Pick<Events, 'db'>;
  readonly sessionQueries: Pick<SessionQueries, 'endedSince'>;
  readonly now: () => Date;
}

interface RaisedAccount {
  readonly _id: string;
  readonly accessVersion?: number;
  readonly accessVersionAt?: Date;
}

interface DeletedAccount {
  readonly id: string;
  readonly collection: string;
  readonly deletedAt: Date;
}

/** All that has ended tokens which may still be in date: sessions, and accounts that have changed or gone. */
export async function* recentEndings({
  events: { db },
  sessionQueries,
  now,
}: RecentEndingsDependencies): AsyncGenerator<Ending> {
  const at = now();
  const untilMs = revokedUntil(at).getTime();
  // Twice the life of a token: the clocks of those who wrote may differ.
  const since = new Date(at.getTime() - 2 * accessTokenLifetimeS * 1000);
  for await (const { _id } of sessionQueries.endedSince(since)) yield { sid: _id, untilMs };
  const raised = db
    .collection<RaisedAccount>(accountsCollection)
    .find({ accessVersionAt: { $gte: since } }, { projection: { accessVersion: 1 } });
  for await (const { _id, accessVersion = 1 } of raised) yield { sub: _id, below: accessVersion, untilMs };
  const gone = db
    .collection<DeletedAccount>('tombstones')
    .find({ deletedAt: { $gte: since }, collection: accountsCollection }, { projection: { id: 1 } });
  for await (const { id } of gone) yield { sub: id, below: everyVersion, untilMs };
}
