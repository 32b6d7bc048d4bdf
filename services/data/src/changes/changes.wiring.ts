import type { Feature, Ground } from '../feature.ts';
import type { AdmitQuery } from '../queries/plan/admit-query.ts';
import { changesRoute } from './changes.route.ts';
import { createFeedHub } from './feed-hub.ts';
import { readGeneration } from './generation.ts';
import { createSendSnapshot } from './snapshot/send-snapshot.ts';
import { createSnapshotPlaces } from './snapshot/snapshot-places.ts';

/**
 * The feed of every change.
 *
 * @param ground - what every feature is given
 * @param queries - what judges queries: a snapshot is one
 */
export async function createChanges(
  { config, client, events, findCurrent, cursors, ...ground }: Ground,
  { admit }: { readonly admit: AdmitQuery },
) {
  const { stream, registry, isRevoked, logger, now } = ground;
  const { db } = events;
  const { queryTimeoutMs } = config;
  const generation = await readGeneration(db);
  const places = createSnapshotPlaces({ limit: config.snapshotLimit });
  const hub = createFeedHub({
    ...{ stream, registry, isRevoked, logger, generation },
    sendSnapshot: createSendSnapshot({ client, db, admit, places, generation, queryTimeoutMs, now }),
    limit: config.feedLimit,
    historyBytes: config.feedHistoryBytes,
  });
  return {
    routes: [changesRoute({ findCurrent, cursors, hub, admit, places, now })],
    stop: () => hub.stop(),
  } satisfies Feature;
}
