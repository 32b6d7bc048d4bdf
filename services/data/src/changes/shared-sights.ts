import type { FeedViews } from './feed-views.ts';
import { createFeedViews } from './feed-views.ts';
import type { IdSets } from './id-sets.ts';
import { createIdSets } from './id-sets.ts';
import type { MeetsPool } from './meets.ts';
import { createMeetsPool } from './meets.ts';

/** What feeds that see the same, or follow the same, keep once. */
export interface SharedSights {
  readonly idSets: IdSets;
  readonly meets: MeetsPool;
  readonly views: FeedViews;
}

/** Makes it, with nothing kept. */
export const createSharedSights = (): SharedSights => ({
  idSets: createIdSets(),
  meets: createMeetsPool(),
  views: createFeedViews(),
});
