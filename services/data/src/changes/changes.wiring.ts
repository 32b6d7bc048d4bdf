import type { Feature, Ground } from '../feature.ts';
import { changesRoute } from './changes.route.ts';
import { createFeedHub } from './feed-hub.ts';
import { readGeneration } from './generation.ts';

/** The feed of every change. */
export async function createChanges({ config, events, findCurrent, cursors, ...ground }: Ground) {
  const { stream, registry, isRevoked, logger } = ground;
  const hub = createFeedHub({
    ...{ stream, registry, isRevoked, logger },
    generation: await readGeneration(events.db),
    limit: config.feedLimit,
    historyBytes: config.feedHistoryBytes,
  });
  return {
    routes: [changesRoute({ findCurrent, cursors, hub })],
    stop: () => hub.stop(),
  } satisfies Feature;
}
