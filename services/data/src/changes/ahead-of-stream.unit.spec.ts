import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';

import type { Collection } from '../collections/collection-registry.ts';
import type { FakeResponse } from '../testing/fake-response.ts';
import { at, changeOf, hubCollection, openTestHub } from '../testing/test-hub.ts';

describe('a feed by a definition that the stream has yet to bring', () => {
  const next = { ...hubCollection, revision: 2, source: { rules: { read: 'signed-in' } } } as unknown as Collection;
  const open = (known: () => Collection) => {
    let define: (id: string, collection: Collection | undefined) => void = () => undefined;
    const hub = openTestHub({
      registry: {
        get: known,
        knownAsOf: () => at(known() === next ? 5 : 1),
        onChange(listener) {
          define = listener;
          return () => undefined;
        },
      },
    });
    return { ...hub, define: () => define('col_a', known()) };
  };
  const toldBy = (feed: FakeResponse): string[] =>
    feed.blocks().flatMap(({ event, data }) => {
      const { reason, record } = JSON.parse(data ?? '{}') as { reason?: string; record?: { id: string } };
      return event === undefined ? [] : [`${event} ${reason ?? record?.id ?? ''}`];
    });
  const until = async (condition: () => boolean): Promise<void> => {
    const deadline = performance.now() + 60_000;
    while (!condition()) {
      assert.ok(performance.now() < deadline);
      await nextTurn();
    }
  };

  it('is told nothing of before it, and all of what follows', async () => {
    const { bring, decode, follow } = open(() => next);
    const feed = follow();
    for (const second of [2, 4, 6]) bring(changeOf(`rec_${second}`, second));
    await until(() => toldBy(feed).length > 0);
    bring(changeOf('rec_7', 7));
    await nextTurn();
    assert.deepEqual(toldBy(feed), ['created rec_6', 'created rec_7']);
    assert.deepEqual(decode(feed.blocks()[0]?.id ?? '').place, { position: at(5), eventId: undefined });
  });

  it('has lost what it saw by the one before, and goes on behind it', async () => {
    let known = hubCollection;
    const { bring, decode, define, follow } = open(() => known);
    const feed = follow();
    bring(changeOf('rec_2', 2));
    known = next;
    // As of the one in between, which the process knows no more.
    define();
    for (const second of [4, 6]) bring(changeOf(`rec_${second}`, second));
    await until(() => toldBy(feed).length > 2);
    assert.deepEqual(toldBy(feed), ['created rec_2', 'gap rights', 'created rec_6']);
    const gap = feed.blocks().find(({ event }) => event === 'gap');
    assert.deepEqual(decode(gap?.id ?? '').place, { position: at(5), eventId: undefined });
  });
});
