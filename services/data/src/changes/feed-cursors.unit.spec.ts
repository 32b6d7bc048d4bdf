import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';

import { Fault } from '@causeway/contracts';
import { Timestamp } from 'mongodb';

import { createCursorCodec } from '../cursors/cursor-codec.ts';
import { createFeedCursors } from './feed-cursors.ts';

describe('a feed’s cursor', () => {
  const secret = randomBytes(32);
  const codec = createCursorCodec(randomBytes(32));
  const binding = { collectionId: 'col_1', query: ['changes', '{}'], principal: 'app_user:usr_1' };
  const bound = codec(binding);
  const cursors = createFeedCursors({ secret, generation: 'g' });
  const position = new Timestamp({ t: 1_795_437_812, i: 4 });
  const cursorOf = (eventId?: string): string => cursors.begin(bound, 'r') + cursors.seal({ position, eventId });
  const refused = (status: number) => (error: unknown) => error instanceof Fault && error.status === status;

  it('gives back what it says', () => {
    for (const eventId of [undefined, 'e1']) {
      const expected = { place: { position, eventId }, generation: 'g', rule: 'r' };
      assert.deepEqual(cursors.read(cursorOf(eventId), bound), expected);
    }
  });

  it('is read as it was made in one part', () => {
    const former = bound.encode({ p: '1795437812.4', e: 'e1', g: 'g', r: 'r' });
    const expected = { place: { position, eventId: 'e1' }, generation: 'g', rule: 'r' };
    assert.deepEqual(cursors.read(former, bound), expected);
    for (const other of [null, [], ['rec_1'], { p: 'x', g: 'g', r: 'r' }, { p: '1.1' }, { g: 'g', r: 'r' }]) {
      assert.throws(() => cursors.read(bound.encode(other), bound), refused(400));
    }
  });

  it('is refused to another person, with another query, and with any character changed', () => {
    const cursor = cursorOf('e1');
    assert.throws(() => cursors.read(cursor, codec({ ...binding, principal: 'anonymous' })), refused(404));
    assert.throws(() => cursors.read(cursor, codec({ ...binding, query: [] })), refused(400));
    const [whose = '', where = ''] = cursor.split('.');
    for (const part of [whose, where]) {
      const bytes = Buffer.from(part, 'base64url');
      for (let index = 0; index < bytes.length; index += 1) {
        const forged = Buffer.from(bytes);
        forged[index] = (forged[index] ?? 0) ^ 1;
        const text = forged.toString('base64url');
        const altered = part === whose ? `${text}.${where}` : `${whose}.${text}`;
        assert.throws(() => cursors.read(altered, bound), refused(400));
      }
    }
    // Neither part stands in for the other, nor for a cursor of a list.
    for (const text of ['', '.', `${whose}.`, `.${where}`, `${where}.${whose}`, `${cursor}.x`, `${whose}.${whose}`]) {
      assert.throws(() => cursors.read(text, bound), refused(400));
    }
    assert.throws(() => bound.decode(cursor, {}), refused(400));
    const elsewhere = createFeedCursors({ secret: randomBytes(32), generation: 'g' });
    assert.throws(() => elsewhere.read(cursor, bound), refused(400));
  });
});
