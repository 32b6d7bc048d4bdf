import assert from 'node:assert/strict';

import { Timestamp } from 'mongodb';

import type { FeedBlock } from './test-feed.ts';

/** What a subscriber holds at a place of a feed. */
export interface FoldedView {
  /** Everything up to it has been told, each commit whole. */
  readonly time: Timestamp;
  /** Names the read rule that the feed was told by. */
  readonly rule: string;
  /** Revisions by record. */
  readonly revisions: ReadonlyMap<string, number>;
}

/** What a cursor says, which tests look into: before the one part come a MAC of 16 bytes and two hashes of 12, before the other a MAC. */
const placeOf = (cursor: string): { readonly p: string; readonly r: string } => {
  const [whose = '', where = ''] = cursor.split('.');
  const read = (part: string, from: number): object =>
    JSON.parse(Buffer.from(part, 'base64url').subarray(from).toString()) as object;
  return { ...read(whose, 40), ...read(where, 16) } as { p: string; r: string };
};

/** Where a cursor of a feed stands. */
export function positionOf(cursor: string): Timestamp {
  const [t = 0, i = 0] = placeOf(cursor).p.split('.').map(Number);
  return new Timestamp({ t, i });
}

/**
 * Does what a subscriber does with a feed.
 *
 * @param begun - what it holds where the feed begins, by record; undefined where that is what the feed begins with
 * @returns what it holds at each `id`
 * @throws AssertionError where the feed tells what cannot follow from what it told before
 */
export function foldFeed(blocks: readonly FeedBlock[], begun?: ReadonlyMap<string, number>): FoldedView[] {
  const views: FoldedView[] = [];
  let revisions = new Map(begun);
  let isWhole = begun !== undefined;
  for (const { event, id, data } of blocks) {
    const about = JSON.parse(data ?? '{}') as {
      record?: { id: string };
      id?: string;
      revision: number;
      records?: number;
    };
    const record = about.record?.id ?? about.id ?? '';
    const known = revisions.get(record);
    if (event === 'gap') {
      revisions = new Map();
      isWhole = false;
    } else if (event === 'current') {
      assert.ok(!isWhole && id === undefined && known === undefined, `a row that does not belong there: ${data}`);
      revisions.set(record, about.revision);
    } else if (event === 'ready') {
      assert.equal(about.records, revisions.size);
      isWhole = true;
    } else if (event === 'created' || event === 'entered') {
      assert.ok(isWhole && known === undefined, `${event}, though it was there at ${known}: ${data}`);
      revisions.set(record, about.revision);
    } else if (event === 'updated') {
      assert.ok(isWhole && known === about.revision - 1, `updated, though it was there at ${known}: ${data}`);
      revisions.set(record, about.revision);
    } else if (event === 'deleted' || event === 'left') {
      assert.ok(isWhole && known === about.revision - 1, `${event}, though it was there at ${known}: ${data}`);
      revisions.delete(record);
    }
    if (id === undefined || !isWhole) continue;
    views.push({ time: positionOf(id), rule: placeOf(id).r, revisions: new Map(revisions) });
  }
  return views;
}
