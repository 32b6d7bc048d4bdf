import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';

import type { Condition, Operand } from '../conditions/condition.ts';
import type { Pattern } from '../conditions/pattern.ts';
import type { Collection, CollectionRegistry } from '../collections/collection-registry.ts';
import { changeOf, hubCollection, openTestHub } from '../testing/test-hub.ts';
import type { FakeResponse } from '../testing/fake-response.ts';

const eventsOf = ({ blocks }: FakeResponse): string[] =>
  blocks().flatMap(({ event, data }) =>
    event === undefined
      ? []
      : [event === 'gap' ? `gap ${(JSON.parse(data ?? '{}') as { reason: string }).reason}` : event],
  );

/** Asks of the text what the test likes. */
const asking = (name: string, test: Pattern['test']): Condition<Operand> => ({
  kind: 'field',
  path: { text: 'text', storage: 'fields.text', segments: ['fields', 'text'], holds: 'json' },
  atom: { op: 'regex', pattern: { text: name, pcre: name, test } },
});

describe('a feed whose collection has changed since it was asked for', () => {
  const known = (collection: Collection | undefined) =>
    openTestHub({ registry: { get: () => collection, knownAsOf: () => undefined, onChange: () => () => undefined } });

  it('sees by the rule of now from its first change on', async () => {
    const rules = { read: { kind: 'alternatives', alternatives: [] } };
    const source = { rules: { read: [] } };
    const narrowed = { ...hubCollection, ...{ revision: 2, rules, source } } as unknown as Collection;
    const { bring, follow } = known(narrowed);
    const feed = follow(undefined, { caller: { signedIn: false, administrator: false, auth: {} } });
    bring(changeOf('rec_1', 2, { after: { text: 'x' } }));
    await nextTurn();
    assert.deepEqual(eventsOf(feed), []);
  });

  it('goes on without a gap where it was told by a rule of which its replica has yet to hear', async () => {
    const signedIn = { rules: { read: { kind: 'signed-in' } }, source: { rules: { read: 'signed-in' } } };
    const newer = { ...hubCollection, ...signedIn, revision: 2, readSince: 2 } as unknown as Collection;
    const caller = { signedIn: true, administrator: false, auth: {} };
    const toldByOther = openTestHub({
      registry: { get: () => newer, knownAsOf: () => undefined, onChange: () => () => undefined },
    });
    const first = toldByOther.follow(undefined, { caller, collection: newer });
    toldByOther.bring(changeOf('rec_a', 5, { after: {} }));
    await nextTurn();
    const given = first.blocks().findLast(({ id }) => id !== undefined)?.id ?? assert.fail();
    const cursor = toldByOther.decode(given);
    for (const isKnownByThen of [true, false]) {
      let redefine: Parameters<CollectionRegistry['onChange']>[0] | undefined;
      const { bring, follow } = openTestHub({
        registry: {
          get: () => hubCollection,
          knownAsOf: () => undefined,
          onChange: (listener) => {
            redefine = listener;
            return () => undefined;
          },
        },
      });
      const feed = follow(undefined, { caller, resumed: { given, cursor } });
      await nextTurn();
      assert.deepEqual(eventsOf(feed), []);
      if (isKnownByThen) redefine?.('col_a', newer);
      bring(changeOf('rec_a', 5, { after: {} }));
      bring(changeOf('rec_b', 6, { after: {} }));
      const deadline = performance.now() + 60_000;
      while (eventsOf(feed).length === 0) {
        assert.ok(performance.now() < deadline);
        await delay(5);
      }
      assert.deepEqual(eventsOf(feed), [isKnownByThen ? 'created' : 'gap rights']);
    }
  });

  it('ends where the collection has gone', async () => {
    const { follow } = known(undefined);
    const feed = follow();
    await nextTurn();
    assert.deepEqual(eventsOf(feed), ['end']);
  });
});

describe('a view that a change cannot be judged for', () => {
  it('has a gap by itself, which is logged; what comes after it is told', async () => {
    const { bring, follow, logged } = openTestHub();
    const broken = asking('broken', (text) => {
      if (text === 'odd') throw new RangeError('out of stack');
      return true;
    });
    const [own, sameView, other] = [follow(broken), follow(broken), follow()];
    for (const [index, text] of ['x', 'odd', 'y'].entries())
      bring(changeOf(`rec_${index}`, index + 2, { after: { text } }));
    await nextTurn();
    for (const each of [own, sameView]) assert.deepEqual(eventsOf(each), ['created', 'gap too-costly', 'created']);
    assert.deepEqual(eventsOf(other), ['created', 'created', 'created']);
    // The cursor leads on behind it.
    assert.ok(own.blocks().every(({ id }) => id !== undefined));
    assert.equal(logged.length, 1);
    assert.equal(logged[0]?.id, 'rec_1');
    assert.ok(!JSON.stringify(logged).includes('odd'));
  });

  it('leaves to others what they need, however much it takes', async () => {
    const { bring, follow, logged } = openTestHub();
    const taking = (name: string, units: number) =>
      follow(
        asking(name, (_text, spend) => {
          for (let left = units; left > 0; left -= 1_000) spend(1_000);
          return true;
        }),
      );
    // More than there is for all, asked for first.
    const costly = Array.from({ length: 8 }, (_, index) => taking(`costly ${index}`, 1_900_000));
    const modest = Array.from({ length: 12 }, (_, index) => taking(`modest ${index}`, 90_000));
    for (let second = 2; second < 5; second += 1) bring(changeOf(`rec_${second}`, second, { after: { text: 'x' } }));
    await nextTurn();
    for (const each of modest) assert.deepEqual(eventsOf(each), ['created', 'created', 'created']);
    assert.ok(costly.some((each) => eventsOf(each).includes('gap too-costly')));
    assert.deepEqual(logged, []);
  });
});

describe('a transaction', () => {
  const batch = { id: 'b', size: 3 };
  const member = (id: string, second: number) => changeOf(id, second, { transaction: `t${second}`, batch });
  const recordsOf = ({ blocks }: FakeResponse): string[] =>
    blocks().flatMap(({ id, data }) => {
      const { record } = JSON.parse(data ?? '{}') as { record?: { id: string } };
      return record === undefined ? [] : [`${record.id}${id === undefined ? '' : ' id'}`];
    });
  const lastId = ({ blocks }: FakeResponse): string => blocks().findLast(({ id }) => id !== undefined)?.id ?? '';

  it('is told whole, with a cursor after it alone', async () => {
    const { bring, follow } = openTestHub();
    const feed = follow();
    bring(changeOf('x', 2));
    bring(member('a', 3));
    bring(member('b', 3));
    const between = follow();
    await nextTurn();
    assert.deepEqual(recordsOf(feed), ['x id']);
    bring(member('c', 3));
    bring(changeOf('y', 4));
    await nextTurn();
    assert.deepEqual(recordsOf(feed), ['x id', 'a', 'b', 'c id', 'y id']);
    // Who came in the middle of it was not told that it was over.
    assert.deepEqual(recordsOf(between), ['a', 'b', 'c id', 'y id']);
  });

  it('is told whole to who was cut off within it, and not again to who has it', async () => {
    const { bring, follow, decode } = openTestHub();
    const feed = follow();
    bring(changeOf('x', 2));
    await nextTurn();
    const before = lastId(feed);
    for (const id of ['a', 'b', 'c']) bring(member(id, 3));
    await nextTurn();
    const after = lastId(feed);
    bring(changeOf('y', 4));
    const resume = (given: string) => follow(undefined, { resumed: { given, cursor: decode(given) } });
    const [cut, whole] = [resume(before), resume(after)];
    const deadline = performance.now() + 60_000;
    while (!recordsOf(cut).includes('y id') || !recordsOf(whole).includes('y id')) {
      assert.ok(performance.now() < deadline);
      await nextTurn();
    }
    assert.deepEqual(recordsOf(cut), ['a', 'b', 'c id', 'y id']);
    assert.deepEqual(recordsOf(whole), ['y id']);
  });

  it('that cannot be judged as a whole is a gap as a whole', async () => {
    const { bring, follow } = openTestHub();
    const feed = follow(
      asking('broken', (text) => {
        if (text === 'odd') throw new Error('broken');
        return true;
      }),
    );
    for (const [index, text] of ['x', 'odd', 'y'].entries()) {
      bring(changeOf(`rec_${index}`, 2, { transaction: 't', batch, after: { text } }));
    }
    await nextTurn();
    assert.deepEqual(eventsOf(feed), ['gap too-costly']);
    assert.ok(feed.blocks().every(({ id }) => id !== undefined));
  });

  describe('of more than may be on its way to one reader', () => {
    const ids = Array.from({ length: 8 }, (_, index) => `r${index}`);
    const told = [...ids.slice(0, -1), 'r7 id'];
    const fields = { text: 'x'.repeat(100_000) };
    const commit = ids.map((id) =>
      changeOf(id, 3, { before: fields, after: fields, transaction: 't3', batch: { id: 'b', size: ids.length } }),
    );
    const until = async (condition: () => boolean): Promise<void> => {
      const deadline = performance.now() + 60_000;
      while (!condition()) {
        assert.ok(performance.now() < deadline);
        await nextTurn();
      }
    };

    it('is told whole, once, and what comes after it, to all who take what they are sent', async () => {
      const { bring, follow } = openTestHub();
      const [feed, sameView, late] = [follow(), follow(), follow()];
      bring(changeOf('x', 2));
      await nextTurn();
      late.hold(true);
      for (const each of commit) bring(each);
      bring(changeOf('y', 4));
      for (const each of [feed, sameView]) await until(() => recordsOf(each).includes('y id'));
      assert.equal(late.feed.hasEnded(), false);
      late.hold(false);
      await until(() => recordsOf(late).includes('y id'));
      bring(changeOf('z', 5));
      await nextTurn();
      for (const each of [feed, sameView, late]) {
        assert.deepEqual(recordsOf(each), ['x id', ...told, 'y id', 'z id']);
      }
    });

    it('ends the feed of who takes nothing, as slow; it is told whole to who comes back', async ({ mock }) => {
      const { bring, follow, decode } = openTestHub();
      const feed = follow();
      bring(changeOf('x', 2));
      await nextTurn();
      feed.hold(true);
      mock.timers.enable({ apis: ['setTimeout'] });
      for (const each of commit) bring(each);
      await until(() => {
        mock.timers.tick(1_000);
        return feed.feed.hasEnded();
      });
      mock.timers.reset();
      feed.hold(false);
      await until(() => eventsOf(feed).includes('gap slow'));
      assert.equal(eventsOf(feed).at(-1), 'gap slow');
      const given = lastId(feed);
      const again = follow(undefined, { resumed: { given, cursor: decode(given) } });
      await until(() => recordsOf(again).includes('r7 id'));
      assert.deepEqual(recordsOf(again), told);
    });

    it('is told no further by a rule that has changed meanwhile', async () => {
      const { bring, follow } = openTestHub();
      const feed = follow();
      await nextTurn();
      feed.hold(true);
      for (const each of commit) bring(each);
      await nextTurn();
      feed.feed.redefine({ ...hubCollection, revision: 2, source: { rules: { read: 'signed-in' } } } as never);
      feed.hold(false);
      await until(() => eventsOf(feed).includes('gap rights'));
      assert.ok(recordsOf(feed).length < ids.length);
      assert.equal(eventsOf(feed).at(-1), 'gap rights');
    });
  });
});

describe('what feeds are told', () => {
  const equals = (n: number): Condition<Operand> => ({
    kind: 'field',
    path: { text: 'n', storage: 'fields.n', segments: ['fields', 'n'], holds: 'json' },
    atom: { op: 'eq', operand: { kind: 'value', value: n } },
  });

  it('goes out at once for all of a turn', async ({ mock }) => {
    // On a busy machine its turn to be told its place could come meanwhile.
    mock.timers.enable({ apis: ['setInterval'] });
    const { bring, follow } = openTestHub();
    const feed = follow();
    await nextTurn();
    const before = feed.writes();
    for (let second = 2; second < 102; second += 1) bring(changeOf(`rec_${second}`, second));
    await nextTurn();
    assert.equal(feed.blocks().length, 101);
    assert.equal(feed.writes(), before + 1);
  });

  it('is told to those who see a value that a record had or has', async () => {
    const { bring, follow } = openTestHub();
    const feeds = [1, 2, 3].map((n) => follow(equals(n)));
    bring(changeOf('a', 2, { after: { n: 1 } }));
    bring(changeOf('a', 3, { before: { n: 1 }, after: { n: 2 } }));
    bring(changeOf('a', 4, { before: { n: 2 } }));
    await nextTurn();
    assert.deepEqual(feeds.map(eventsOf), [['created', 'left'], ['entered', 'deleted'], []]);
  });
});
