import assert from 'node:assert/strict';
import { foldFeed, type FoldedView, positionOf } from '../../../services/data/src/testing/fold-feed.ts';
import { changesIn } from '../harness/feed.ts';
import { type Fields, type HistoricChange, queryOverTime } from './collection-history.ts';
import { type ResumingFeed, startResumingFeed } from './resuming-feed.ts';

/** Who follows a collection, how, and what of it. */
export interface ViewSubscription {
  readonly name: string;
  readonly by: {
    readonly id: string;
    /** The token to connect with. */
    readonly token: () => string;
  };
  /** Whether the rules let them see everything. */
  readonly isAdministrator?: boolean;
  readonly filter?: { readonly n: { readonly $gte: number } };
  readonly snapshot: boolean;
  readonly over?: 'socket';
}

/** Somebody who follows a collection, whatever happens. */
export interface ViewSubscriber {
  readonly name: string;
  readonly feed: ResumingFeed;
  /**
   * Holds what it was told against the history: at each cursor, exactly what its query finds as of then.
   *
   * @returns how many cursors there were
   */
  readonly assertViews: (history: readonly HistoricChange[]) => number;
}

/** The read rule of what is followed. */
export const readRule = [{ status: 'published' }, { author: { $auth: 'sub' } }];

/** Begins to follow. */
export async function startViewSubscriber(
  collection: string,
  subscription: ViewSubscription,
  at: () => string | undefined,
): Promise<ViewSubscriber> {
  const { name, by, isAdministrator = false, filter, snapshot, over } = subscription;
  const feed = await startResumingFeed(collection, { token: by.token, filter, snapshot, over, at });
  const sees = ({ status, author, n }: Fields): boolean =>
    (isAdministrator || status === 'published' || author === by.id) &&
    (filter === undefined || Number(n) >= filter.n.$gte);

  const assertTold = (history: readonly HistoricChange[]): void => {
    const fieldsOf = new Map(history.map(({ recordId, revision, fields }) => [`${recordId} ${revision}`, fields]));
    for (const { data } of changesIn(feed.told())) {
      if (data.record === undefined) continue;
      const { status, author, n } = data.record;
      const { id } = data.record;
      assert.deepEqual({ status, author, n }, fieldsOf.get(`${id} ${data.revision}`), `${id} as ${name} was told`);
    }
  };

  const fold = (...what: Parameters<typeof foldFeed>): FoldedView[] => {
    try {
      return foldFeed(...what);
    } catch (error) {
      throw new Error(`what ${name} was told does not follow`, { cause: error });
    }
  };

  return {
    name,
    feed,
    assertViews(history) {
      const blocks = feed.told();
      const gaps = blocks.filter(({ event }) => event === 'gap');
      assert.deepEqual(gaps, [], `${name} was told that something is missing`);
      assertTold(history);
      // Who does not begin with the result has asked for it just then.
      const begun = blocks.find(({ id }) => id !== undefined)?.id ?? assert.fail(`${name} was never told a place`);
      const held = snapshot ? undefined : queryOverTime(history, sees).at(positionOf(begun));
      const views = fold(blocks, held);
      const query = queryOverTime(history, sees);
      let before = positionOf(begun);
      const sorted = (map: ReadonlyMap<string, number>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
      for (const { time, revisions } of views) {
        const shown = `${time.t}.${time.i}`;
        assert.ok(time.greaterThanOrEqual(before), `a cursor of ${name} goes back to ${shown}`);
        assert.deepEqual(sorted(revisions), sorted(query.at(time)), `what ${name} holds at ${shown}`);
        before = time;
      }
      return views.length;
    },
  };
}
