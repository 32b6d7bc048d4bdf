import { toSequence } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { createSequenceWatch } from './sequence-watch.ts';

const event = (subject: string, revision: number, id = `${subject}@${revision}`) => ({
  subject,
  sequence: toSequence(revision),
  id,
});

void describe('the watch over sequences', () => {
  it('knows nothing against what it sees first, what follows, and what comes again', () => {
    const watch = createSequenceWatch();
    for (const revision of [5, 6, 7, 5, 6, 7, 8, 8]) assert.equal(watch.arrived(event('a', revision)), undefined);
    assert.equal(watch.arrived(event('b', 1)), undefined);
  });

  it('says which is the first of a subject that it knows of', () => {
    const firsts: string[] = [];
    const watch = createSequenceWatch({ onFirst: (id) => firsts.push(id) });
    for (const revision of [5, 6, 5, 7]) watch.arrived(event('a', revision));
    watch.arrived(event('b', 1));
    watch.reset();
    watch.arrived(event('a', 6));
    assert.deepEqual(firsts, ['a@5', 'b@1', 'a@6']);
  });

  it('tells of revisions that are skipped, once', () => {
    const watch = createSequenceWatch();
    watch.arrived(event('a', 5));
    assert.match(watch.arrived(event('a', 7))?.message ?? '', /had sequence 5, this one has 7/);
    assert.equal(watch.arrived(event('a', 8)), undefined);
    assert.equal(watch.arrived(event('a', 6)), undefined, 'what was missing comes after all');
  });

  it('tells of another event with the same sequence, and believes the first', () => {
    const watch = createSequenceWatch();
    watch.arrived(event('a', 5));
    assert.match(watch.arrived(event('a', 5, 'forged'))?.message ?? '', /another event .* sequence 5/);
    assert.equal(watch.arrived(event('a', 5)), undefined);
    assert.equal(watch.arrived(event('a', 6)), undefined);
  });

  it('forgets after an hour, when it is reset, and the subject that has not moved for longest', () => {
    let now = 0;
    const watch = createSequenceWatch({ now: () => now });
    watch.arrived(event('a', 5));
    now += 3_600_000;
    assert.equal(watch.arrived(event('a', 1)), undefined, 'a deleted id is used again');
    watch.reset();
    assert.equal(watch.arrived(event('a', 9)), undefined);
    watch.arrived(event('moves', 1));
    for (let each = 0; each < 998; each += 1) watch.arrived(event(`s${each}`, 1));
    watch.arrived(event('moves', 2));
    watch.arrived(event('last', 1));
    assert.equal(watch.arrived(event('a', 11)), undefined, 'one that moved long ago');
    assert.notEqual(watch.arrived(event('moves', 4)), undefined, 'one that moved since');
  });
});
