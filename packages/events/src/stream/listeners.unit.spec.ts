import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { createListeners } from './listeners.ts';

describe('those who listen to the commit stream', () => {
  const change = (id: string) => ({ collection: 'notes', id, revision: 1 });
  const setUp = () => {
    const logged: Record<string, unknown>[] = [];
    const note = (): void => undefined;
    const error = (fields: unknown): void => void logged.push(fields as Record<string, unknown>);
    const heard: string[] = [];
    return { logged, heard, listeners: createListeners({ debug: note, info: note, warn: note, error }) };
  };

  it('hear of each change, whoever of them throws, and that one of a gap', () => {
    const { listeners, logged, heard } = setUp();
    const onGap = (who: string) => () => void heard.push(`gap ${who}`);
    listeners.add(({ id }) => void heard.push(`first ${id}`), onGap('first'));
    listeners.add(({ id }) => {
      if (id === 'b') throw new Error('refused');
      heard.push(`second ${id}`);
    }, onGap('second'));
    listeners.add(({ id }) => void heard.push(`third ${id}`));
    for (const id of ['a', 'b', 'c']) listeners.tell(change(id));
    assert.deepEqual(heard, [
      ...['first a', 'second a', 'third a'],
      ...['first b', 'gap second', 'third b'],
      ...['first c', 'second c', 'third c'],
    ]);
    assert.deepEqual(
      logged.map(({ collection, id, error }) => [collection, id, String(error)]),
      [['notes', 'b', 'Error: refused']],
    );
  });

  it('hear of a gap all, whoever of them throws over it', () => {
    const { listeners, logged, heard } = setUp();
    const refuse = (): never => {
      throw new Error('refused');
    };
    listeners.add(refuse, refuse);
    const end = listeners.add(
      ({ id }) => void heard.push(id),
      () => void heard.push('gap'),
    );
    listeners.tellGap();
    assert.deepEqual(heard, ['gap']);
    assert.equal(logged.length, 1);
    listeners.tell(change('a'));
    assert.deepEqual(heard, ['gap', 'a']);
    assert.equal(logged.length, 3);
    end();
    listeners.tell(change('b'));
    listeners.tellGap();
    assert.deepEqual(heard, ['gap', 'a']);
  });
});
