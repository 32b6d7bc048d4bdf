import { newEventId, type EventEnvelope } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { PlacedEvent } from '../log/producer-log.ts';
import { findLostHistory } from './lost-history.ts';

/** A log of one slot that begins at a position. */
const logFrom = (first: number, count: number) => {
  const rows = Array.from({ length: count }, (_, index): PlacedEvent => {
    const event = { id: newEventId(), time: '2026-02-03T04:05:06.000Z' } as EventEnvelope;
    return { slot: 0, pos: first + index, event };
  });
  return {
    rows,
    read: ({ from, limit }: { readonly from: number; readonly limit: number }) =>
      Promise.resolve(rows.filter(({ pos }) => pos >= from).slice(0, limit)),
    extent: ({ upTo }: { readonly upTo?: string | undefined }) => {
      const to = rows.find(({ event }) => event.id === upTo)?.pos ?? first + count - 1;
      return Promise.resolve({ from: first, to });
    },
  };
};

describe('what is in neither Kafka nor a log', () => {
  it('is nothing where the log is whole, or knows what came last', async () => {
    assert.equal(await findLostHistory(logFrom(1, 3), 0, undefined), undefined);
    assert.equal(await findLostHistory(logFrom(1, 3), 0, newEventId()), undefined, 'it came past the log');
    const log = logFrom(50, 3);
    for (const { event } of log.rows) assert.equal(await findLostHistory(log, 0, event.id), undefined);
  });

  it('is told with the time from which and until which, where the log begins behind what came last', async () => {
    const last = newEventId();
    const lost = await findLostHistory(logFrom(50, 3), 0, last);
    assert.match(lost?.message ?? '', /after 20\d\d-.*and until 2026-02-03T04:05:06\.000Z/);
    assert.match((await findLostHistory(logFrom(2, 1), 0, undefined))?.message ?? '', /from the beginning/);
    assert.match((await findLostHistory(logFrom(1, 0), 0, last))?.message ?? '', /until now/);
  });
});
