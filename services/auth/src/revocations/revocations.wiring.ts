import { createRevocationList, createRevocationTeller, EndedTokens } from '@causeway/service';
import type { RevocationList, RevocationTeller } from '@causeway/service';

import type { Feature, Ground } from '../feature.ts';
import { followEndings } from './follow-endings.ts';
import { recentEndings } from './recent-endings.ts';
import { createWhichEnded } from './which-ended.ts';
import { whichEndedRoute } from './which-ended.route.ts';

/** How long the commit stream may take to come up to a mark before nobody is told that all was told. */
const settledWithinMs = 2_000;

/** What {@link createRevocations} is given. */
export type RevocationsGround = Pick<
  Ground,
  'config' | 'logger' | 'now' | 'redisPrefix' | 'redis' | 'events' | 'database' | 'sessionQueries'
>;

/**
 * Which tokens have ended: told to all services, and known here by the commit stream of MongoDB.
 *
 * @returns the list, what tells of ends, and the feature; the list starts with whatever verifies tokens by it
 */
export function createRevocations(ground: RevocationsGround) {
  const { config, logger, now, redis, redisPrefix: prefix, events, database, sessionQueries } = ground;
  const tokens = new EndedTokens();
  const ask = createWhichEnded({ client: database.getClient(), events });
  const teller: RevocationTeller = createRevocationTeller({
    ...{ tokens, redis, logger, prefix },
    load: () => recentEndings({ events, sessionQueries, now }),
    settled: () => events.settled(settledWithinMs),
  });
  followEndings({ stream: events.stream, teller, now });
  const { revocationBoundMs: boundMs } = config;
  const revocations: RevocationList = createRevocationList({ tokens, feed: teller, ask, logger, boundMs });
  return { revocations, teller, routes: [whichEndedRoute({ whichEnded: ask })] } satisfies Feature;
}

/** What {@link createRevocations} gives. */
export type Revocations = ReturnType<typeof createRevocations>;
