import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { plain, plainJson, table } from './output.ts';

describe('what is shown on a terminal', () => {
  // A window's title, a bell, a colour, CSI in one byte, a line that is none.
  const hostile = '\u001b]0;title\u0007\u001b[31m\u009b31m\n\u007f';

  it('holds nothing that the terminal would obey', () => {
    assert.doesNotMatch(plain(hostile), /\p{Cc}/u);
    assert.equal(plain('Zoë 日本'), 'Zoë 日本');
    const lines = table([
      ['one', 'two'],
      [hostile, 'x'],
    ]).split('\n');
    assert.equal(lines.length, 2);
    assert.doesNotMatch(lines[1] ?? '', /\p{Cc}/u);
  });

  it('is the same JSON', () => {
    const value = { [hostile]: [hostile] };
    assert.doesNotMatch(plainJson(value), /\p{Cc}/u);
    assert.deepEqual(JSON.parse(plainJson(value)), value);
    assert.deepEqual(JSON.parse(plainJson(value, 2)), value);
  });
});
