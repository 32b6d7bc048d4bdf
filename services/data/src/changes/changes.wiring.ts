import { linkRoute } from '@causeway/service';

import type { Feature, Ground } from '../feature.ts';
import type { AdmitQuery } from '../queries/plan/admit-query.ts';
import { changesRoute } from './changes.route.ts';
import { createFeedCursors } from './feed-cursors.ts';
import { createFeedHub } from './feed-hub.ts';
import { readGeneration } from './generation.ts';
import { createLookAsOf } from './look-as-of.ts';
import { createOpenFeed } from './open-feed.ts';
import { createSharedSights } from './shared-sights.ts';
import { createSendSnapshot } from './snapshot/send-snapshot.ts';
import { createSnapshotPlaces } from './snapshot/snapshot-places.ts';
import { createCallerShares } from './socket/caller-shares.ts';
import { socketTimes } from './socket/heartbeat.ts';
import { socketRoute } from './socket/socket.route.ts';

/**
 * The feed of every change, as an event stream and over WebSockets.
 *
 * @param ground - what every feature is given
 * @param queries - what judges queries: a snapshot is one
 */
export async function createChanges(
  { config, client, events, findCurrent, cursors, ...ground }: Ground,
  { admit }: { readonly admit: AdmitQuery },
) {
  const { stream, settled, registry, isRevoked, identity, logger, now } = ground;
  const { db } = events;
  const { queryTimeoutMs } = config;
  const generation = await readGeneration(db);
  const feedCursors = createFeedCursors({ secret: ground.derive('feed place'), generation });
  const places = createSnapshotPlaces({ limit: config.snapshotLimit });
  const hub = createFeedHub({
    ...{ stream, settled, registry, isRevoked, logger, generation },
    cursors: feedCursors,
    sendSnapshot: createSendSnapshot({
      ...{ client, db, admit, registry, places, queryTimeoutMs, now },
      cursors: feedCursors,
    }),
    look: createLookAsOf(db),
    limit: config.feedLimit,
    historyBytes: config.feedHistoryBytes,
  });
  const shared = createSharedSights();
  const openFeed = createOpenFeed({ findCurrent, cursors, feedCursors, hub, admit, places, db, shared, now });
  const { publicUrl, feedLimit: limit } = config;
  const shares = createCallerShares(limit);
  const socket = socketRoute({ openFeed, hub, identity, shares, limit, publicUrl, logger, times: socketTimes });
  return {
    routes: [changesRoute(openFeed), socket, linkRoute({ logger })],
    stop: () => hub.stop(),
  } satisfies Feature;
}
