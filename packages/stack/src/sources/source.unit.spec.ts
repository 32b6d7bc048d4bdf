import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { firstOf, NothingLeft, Unavailable } from './source.ts';

describe('firstOf', () => {
  const words: string[] = [];
  const reporter = { say: (text: string) => void words.push(text) };
  const unavailable = (name: string, reason: string) => ({
    name,
    find: () => {
      throw new Unavailable(reason);
    },
  });

  it('takes the first that is there, and does not ask the others', async () => {
    const found = await firstOf(
      'a server',
      [
        { name: 'nothing', find: () => undefined },
        { name: 'second', find: () => 2 },
        unavailable('third', 'never asked'),
      ],
      'Install it.',
      reporter,
    );
    assert.equal(found, 2);
    assert.deepEqual(words, []);
  });

  it('passes over what cannot be had with a word', async () => {
    const sources = [unavailable('a mirror', 'no connection within 5 s'), { name: 'second', find: () => 2 }];
    assert.equal(await firstOf('a server', sources, 'Install it.', reporter), 2);
    assert.deepEqual(words.splice(0), ['a server: passing over a mirror: no connection within 5 s']);
  });

  it('says what to install when none is left', async () => {
    await assert.rejects(firstOf('Redis', [unavailable('a mirror', 'gone')], 'Install Redis.', reporter), (error) => {
      assert.ok(error instanceof NothingLeft);
      assert.match(error.message, /a mirror: gone\nInstall Redis\.$/);
      return true;
    });
  });

  it('does not pass over a fault of its own', async () => {
    const broken = {
      name: 'broken',
      find: () => {
        throw new TypeError('a bug');
      },
    };
    await assert.rejects(firstOf('a server', [broken, { name: 'second', find: () => 2 }], '', reporter), TypeError);
  });
});
