import type { Feed } from './feed.ts';
import type { FeedView } from './feed-view.ts';
import type { InterestIndex } from './interest-index.ts';
import { createInterestIndex } from './interest-index.ts';
import type { RecordChange } from './record-change.ts';

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
  /** Those of a collection that may see one of some changes of it. */
  concernedBy(collectionId: string, changes: readonly RecordChange[]): Iterable<Audience>;
  /** All feeds; it may be changed meanwhile. */
  all(): Iterable<Feed>;
}

interface OpenAudience extends Audience {
  readonly feeds: Set<Feed>;
}

/** The audiences of one collection. */
interface Gathering {
  readonly byView: Map<string, OpenAudience>;
  readonly index: InterestIndex<OpenAudience>;
}

/** Makes it, without feeds. */
export function createFeedAudiences(): FeedAudiences {
  const gatherings = new Map<string, Gathering>();
  const attached = new Map<Feed, OpenAudience>();

  const detach = (feed: Feed): void => {
    const audience = attached.get(feed);
    if (audience === undefined) return;
    attached.delete(feed);
    audience.feeds.delete(feed);
    if (audience.feeds.size > 0) return;
    const { key, interests } = audience.view;
    const gathering = gatherings.get(feed.collectionId);
    gathering?.byView.delete(key);
    gathering?.index.remove(audience, interests);
    if (gathering?.byView.size === 0) gatherings.delete(feed.collectionId);
  };

  const open = ({ collectionId, view }: Feed): OpenAudience => {
    const gathering: Gathering = gatherings.get(collectionId) ?? { byView: new Map(), index: createInterestIndex() };
    gatherings.set(collectionId, gathering);
    const known = gathering.byView.get(view.key);
    if (known !== undefined) return known;
    const made = { view, feeds: new Set<Feed>() };
    gathering.byView.set(view.key, made);
    gathering.index.add(made, view.interests);
    return made;
  };

  return {
    attach(feed) {
      detach(feed);
      if (feed.hasEnded()) return;
      const audience = open(feed);
      audience.feeds.add(feed);
      attached.set(feed, audience);
    },
    detach,
    has: (feed) => attached.has(feed),
    concernedBy(collectionId, changes) {
      const documents = changes.flatMap(({ before, after }) => [before, after].filter((each) => each !== undefined));
      return gatherings.get(collectionId)?.index.find(documents) ?? [];
    },
    all: () => attached.keys(),
  };
}
