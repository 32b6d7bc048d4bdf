import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { HistoryLost } from '@causeway/events';
import { Timestamp } from 'mongodb';

import type { CatchUp } from './catch-up.ts';
import type { ChangeHistory } from './change-history.ts';
import type { Feed } from './feed.ts';
import type { Place } from './place.ts';
import type { RecordChange } from './record-change.ts';
import { createResumeFeed } from './resume-feed.ts';

const at = (t: number): Timestamp => new Timestamp({ t, i: 1 });
const place = (t: number): Place => ({ position: at(t), eventId: undefined });
const change = (t: number): RecordChange => ({
  collectionId: 'col_a',
  id: `rec_${t}`,
  revision: 1,
  eventId: `e${t}`,
  position: at(t),
  time: new Date(t * 1000),
  inTransaction: false,
  before: undefined,
  after: undefined,
});

/** A feed that notes what becomes of it; `onDrained` happens while its reader is waited for. */
function feedOf(onDrained: (feed: { isOutdated: boolean; awaitsSnapshot: boolean }) => void = () => undefined) {
  const feed = {
    ...{ collectionId: 'col_a', concerns: ['col_a', 'col_p'] },
    isOutdated: false,
    awaitsSnapshot: false,
    isOver: false,
    ends: [] as string[],
    signal: new AbortController().signal,
    view: { key: '', tell: ({ eventId }: RecordChange) => ({ event: 'created', data: eventId }) },
    // What it follows has led elsewhere by any change there.
    hearEarlier: (changes: readonly RecordChange[]): void => {
      feed.isOutdated ||= changes.some(({ collectionId }) => collectionId === 'col_p');
    },
    hasEnded: (): boolean => feed.isOver,
    drained: async (): Promise<boolean> => {
      onDrained(feed);
      return true;
    },
    end: (event: string, reason: string): void => {
      feed.ends.push(`${event} ${reason}`);
      feed.isOver = true;
    },
  };
  return feed;
}

interface World {
  readonly feed?: ReturnType<typeof feedOf>;
  /** In the history, which covers what comes after the first of them. */
  readonly changes?: readonly RecordChange[];
  /** What the catch-up tells before it has come to the history; or fails with. */
  readonly missed?: readonly RecordChange[] | Error;
  readonly hasReached?: (place: Place) => boolean;
  readonly covers?: () => boolean;
}

/** Resumes a feed after 0, and gives what has come of it, in order. */
async function resume({
  feed = feedOf(),
  changes = [],
  missed = [],
  hasReached = () => true,
  covers,
}: World): Promise<string[]> {
  const log: string[] = [];
  const first = changes[0]?.position.t ?? 0;
  const history: Pick<ChangeHistory, 'covers' | 'after'> = {
    covers: ({ position }) =>
      covers?.() ?? (!(missed instanceof Error) && (missed.length === 0 || position.t >= first - 1)),
    after: ({ position }) => changes.filter((each) => each.position.greaterThan(position)),
  };
  const catchUp: Pick<CatchUp, 'read'> = {
    async read(_place, _collectionId, tell) {
      if (missed instanceof Error) throw missed;
      for (const each of missed) await tell([each]);
      log.push('caught up');
      return place(first - 1);
    },
  };
  const { after } = createResumeFeed({
    progress: { hasReached } as Parameters<typeof createResumeFeed>[0]['progress'],
    history: history as ChangeHistory,
    catchUp: catchUp as CatchUp,
    judge: (view, several) => several.flatMap((each) => view.tell(each) ?? []),
    attach: () => void log.push('attached'),
    goOn: (_feed, reason) => void log.push(`gap ${reason}`),
    tell: (_feed, { data }) => void log.push(data),
  });
  await after(feed as unknown as Feed, place(0));
  return [...log, ...feed.ends];
}

describe('a feed that resumes', () => {
  it('is told what was missed, from the catch-up and then the history, and then live', async () => {
    const changes = [change(5), change(6)];
    assert.deepEqual(await resume({ changes }), ['e5', 'e6', 'attached']);
    assert.deepEqual(await resume({ changes, missed: [change(1), change(2)] }), [
      'e1',
      'e2',
      'caught up',
      'e5',
      'e6',
      'attached',
    ]);
  });

  it('is told nothing more by a rule that has changed meanwhile', async () => {
    const loses = () => feedOf((feed) => (feed.isOutdated = true));
    const changes = [change(5), change(6)];
    assert.deepEqual(await resume({ feed: loses(), changes }), ['gap rights']);
    const missed = [change(1), change(2)];
    assert.deepEqual(await resume({ feed: loses(), changes, missed }), ['caught up', 'gap rights']);
  });

  it('is told nothing of what it sees by other rights than it saw before', async () => {
    const turned = { ...change(4), collectionId: 'col_p' };
    const changes = [change(3), turned, change(5)];
    assert.deepEqual(await resume({ changes }), ['e3', 'gap rights']);
    assert.deepEqual(await resume({ changes: [change(9)], missed: changes }), ['e3', 'caught up', 'gap rights']);
    // Committed together: by which of them is not said.
    assert.deepEqual(
      await resume({
        changes: [
          { ...change(4), inTransaction: true },
          { ...turned, inTransaction: true },
        ],
      }),
      ['gap rights'],
    );
  });

  it('is told nothing more once a snapshot is due', async () => {
    const waits = () => feedOf((feed) => (feed.awaitsSnapshot = true));
    const changes = [change(5), change(6)];
    assert.deepEqual(await resume({ feed: waits(), changes }), []);
    assert.deepEqual(await resume({ feed: waits(), changes, missed: [change(1), change(2)] }), ['caught up']);
  });

  it('that has caught up waits until the process itself has got there', async () => {
    let asked = 0;
    const hasReached = ({ position }: Place): boolean => position.t === 0 || (asked += 1) > 2;
    const log = await resume({ changes: [change(5)], missed: [change(1)], hasReached });
    assert.deepEqual(log, ['e1', 'caught up', 'e5', 'attached']);
    assert.equal(asked, 3);
  });

  it('goes on from now where the past is lost', async () => {
    assert.deepEqual(await resume({ missed: new HistoryLost('gone') }), ['gap expired']);
    await assert.rejects(resume({ missed: new Error('no connection') }), /no connection/);
  });

  it('is not told live where the history was begun anew while its reader was waited for', async () => {
    let isBegunAnew = false;
    const feed = feedOf(() => (isBegunAnew = true));
    const log = await resume({
      feed,
      changes: [change(1)],
      covers: () => !isBegunAnew,
      missed: new HistoryLost('gone'),
    });
    assert.deepEqual(log, ['e1', 'gap expired']);
  });

  it('has nobody wait whose reader has gone', async () => {
    const feed = feedOf();
    feed.isOver = true;
    assert.deepEqual(await resume({ feed, hasReached: () => false }), []);
  });
});
