import type { Feed } from './feed.ts';
import type { FeedView } from './feed-view.ts';

/** Feeds that see the same. */
export interface Audience {
  readonly view: FeedView;
  readonly feeds: ReadonlySet<Feed>;
}

/** The feeds that are told live, by what they see. */
export interface FeedAudiences {
  /** From now on it is told live; nothing where it has ended. */
  attach(feed: Feed): void;
  detach(feed: Feed): void;
  has(feed: Feed): boolean;
  /** Those of a collection. */
  of(collectionId: string): Iterable<Audience>;
  all(): Feed[];
}

interface OpenAudience extends Audience {
  readonly feeds: Set<Feed>;
}

/** Makes it, without feeds. */
export function createFeedAudiences(): FeedAudiences {
  /** By collection, and by what they see. */
  const audiences = new Map<string, Map<string, OpenAudience>>();

  const detach = (feed: Feed): void => {
    const views = audiences.get(feed.collectionId);
    for (const [key, { feeds }] of views ?? []) {
      if (feeds.delete(feed) && feeds.size === 0) views?.delete(key);
    }
    if (views?.size === 0) audiences.delete(feed.collectionId);
  };

  return {
    attach(feed) {
      detach(feed);
      if (feed.hasEnded()) return;
      const views = audiences.get(feed.collectionId) ?? new Map<string, OpenAudience>();
      audiences.set(feed.collectionId, views);
      const audience = views.get(feed.view.key) ?? { view: feed.view, feeds: new Set() };
      views.set(feed.view.key, audience);
      audience.feeds.add(feed);
    },
    detach,
    has: (feed) => audiences.get(feed.collectionId)?.get(feed.view.key)?.feeds.has(feed) === true,
    of: (collectionId) => audiences.get(collectionId)?.values() ?? [],
    all: () => [...audiences.values()].flatMap((views) => [...views.values()].flatMap(({ feeds }) => [...feeds])),
  };
}
