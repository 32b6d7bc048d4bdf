import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { Condition, Operand } from '../conditions/condition.ts';
import type { Pattern } from '../conditions/pattern.ts';
import { changeOf, openTestHub } from '../testing/test-hub.ts';
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

describe('a view that a change cannot be judged for', () => {
  it('has a gap by itself, which is logged; what comes after it is told', () => {
    const { bring, follow, logged } = openTestHub();
    const broken = asking('broken', (text) => {
      if (text === 'odd') throw new RangeError('out of stack');
      return true;
    });
    const [own, sameView, other] = [follow(broken), follow(broken), follow()];
    for (const [index, text] of ['x', 'odd', 'y'].entries())
      bring(changeOf(`rec_${index}`, index + 2, { after: { text } }));
    for (const each of [own, sameView]) assert.deepEqual(eventsOf(each), ['created', 'gap too-costly', 'created']);
    assert.deepEqual(eventsOf(other), ['created', 'created', 'created']);
    // The cursor leads on behind it.
    assert.ok(own.blocks().every(({ id }) => id !== undefined));
    assert.equal(logged.length, 1);
    assert.equal(logged[0]?.id, 'rec_1');
    assert.ok(!JSON.stringify(logged).includes('odd'));
  });

  it('leaves to others what they need, however much it takes', () => {
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
    for (const each of modest) assert.deepEqual(eventsOf(each), ['created', 'created', 'created']);
    assert.ok(costly.some((each) => eventsOf(each).includes('gap too-costly')));
    assert.deepEqual(logged, []);
  });
});
