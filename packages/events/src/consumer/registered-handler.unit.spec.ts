import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { readEntry } from './registered-handler.ts';

const entry = { service: 'user', handler: 'a', kind: 'external', types: ['t'], since: '2026-01-01T00:00:00.000Z' };
const read = (value: unknown, key = 'user/a') => readEntry(key, Buffer.from(JSON.stringify(value)));

void describe('an entry of the topic of handlers', () => {
  it('is read, also where it knows more than we do', () => {
    assert.deepEqual(read({ ...entry, more: 1 }), { ...entry, more: 1 });
    assert.deepEqual(read({ ...entry, kind: 'of tomorrow' })?.kind, 'of tomorrow');
    assert.deepEqual(read({ ...entry, later: { t: entry.since } })?.later, { t: entry.since });
  });

  const wrong: readonly [string, unknown][] = [
    ['text', 'user/a'],
    ['nothing', null],
    ['a list', [entry]],
    ['one without types', { ...entry, types: undefined }],
    ['one whose types are no texts', { ...entry, types: [1] }],
    ['one of no time', { ...entry, since: 'yesterday' }],
    ['one whose later types have no time', { ...entry, later: { t: 5 } }],
    ['one of another handler than its key', { ...entry, handler: 'b' }],
  ];
  for (const [what, value] of wrong) {
    it(`is none where it is ${what}`, () => assert.equal(read(value), undefined));
  }

  it('is none where it is no JSON', () => assert.equal(readEntry('user/a', Buffer.from('{"a')), undefined));
});
