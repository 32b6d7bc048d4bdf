import type { SharedSights } from './feed-options.ts';
import { createFeedViews } from './feed-views.ts';
import { createIdSets } from './id-sets.ts';
import { createMeetsPool } from './meets.ts';

/** Makes it, with nothing kept. */
export const createSharedSights = (): SharedSights => ({
  idSets: createIdSets(),
  meets: createMeetsPool(),
  views: createFeedViews(),
});
