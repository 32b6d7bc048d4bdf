import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { createIdSets } from './id-sets.ts';

const turned = (...changes: [string, boolean][]): ReadonlyMap<string, boolean> => new Map(changes);

describe('a set of ids', () => {
  it('is one for all who know the same, however they have come to it', () => {
    const sets = createIdSets();
    const known = sets.of(['rec_b', 'rec_a', 'rec_b']);
    assert.deepEqual(known.ids, ['rec_a', 'rec_b']);
    assert.equal(sets.of(['rec_a', 'rec_b']), known);
    assert.equal(sets.of(['rec_a']).turn(turned(['rec_b', true])), known);
    assert.equal(sets.of(['rec_a', 'rec_b', 'rec_c']).turn(turned(['rec_c', false])), known);
    assert.equal(createIdSets().of(known.ids).name, known.name, 'and named alike in every process');
    assert.notEqual(sets.of(['rec_a,rec_b']).name, known.name);
  });

  it('is itself where nothing changes, and as it was for who has not learned of a change', () => {
    const known = createIdSets().of(['rec_a', 'rec_b']);
    assert.equal(known.turn(turned()), known);
    assert.equal(known.turn(turned(['rec_a', true], ['rec_x', false])), known);
    const [one, other] = [known.turn(turned(['rec_c', true])), known.turn(turned(['rec_c', true]))];
    assert.equal(one, other);
    assert.deepEqual(known.turn(turned(['rec_c', true], ['rec_a', false])).ids, ['rec_b', 'rec_c']);
    assert.deepEqual(
      [known.ids, one.ids],
      [
        ['rec_a', 'rec_b'],
        ['rec_a', 'rec_b', 'rec_c'],
      ],
    );
  });

  it('has after any changes what a set of the language has', () => {
    const plain = new Set<string>();
    let set = createIdSets().of([]);
    for (let step = 0; step < 300; step += 1) {
      const changes = Array.from({ length: 1 + (step % 4) }, (_, index): [string, boolean] => [
        `rec_${(step * 7 + index * 13) % 23}`,
        (step + index) % 3 > 0,
      ]);
      for (const [id, isIn] of changes) {
        if (isIn) plain.add(id);
        else plain.delete(id);
      }
      set = set.turn(new Map(changes));
      assert.deepEqual(set.ids, [...plain].sort());
    }
  });
});
