import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { parseDefinition } from '../../collections/parse-definition.ts';
import { warnOfRules } from './rule-warnings.ts';

const text = { type: 'string' };
const schema = { type: 'object', properties: { status: text, author: text, team: text, hidden: { type: 'boolean' } } };

const warningsOf = (read: unknown, ...indexes: unknown[]): unknown[] => {
  const definition = parseDefinition({ schema, indexes, rules: read === undefined ? {} : { read } });
  return warnOfRules(definition).map(({ pointer, code, index }) => [pointer, code, index?.keys ?? null]);
};

describe('the warnings about a read rule', () => {
  it('name each alternative that no index leads to, and the index', () => {
    const read = [{ status: 'published' }, { author: { $auth: 'sub' } }, { team: { $in: ['a', 'b'] }, status: 'x' }];
    assert.deepEqual(warningsOf(read, { keys: { status: 1, author: 1 } }), [
      ['/rules/read/1', 'rule-needs-index', { author: 1 }],
    ]);
    assert.deepEqual(warningsOf(read), [
      ['/rules/read/0', 'rule-needs-index', { status: 1 }],
      ['/rules/read/1', 'rule-needs-index', { author: 1 }],
      ['/rules/read/2', 'rule-needs-index', { team: 1, status: 1 }],
    ]);
    assert.deepEqual(warningsOf(read, { keys: { status: -1 } }, { keys: { author: 1 }, unique: true }), []);
  });

  it('count a partial index for what it holds alone, and none of words or places', () => {
    const read = [
      { status: 'published', team: 'a' },
      { author: { $auth: 'sub' }, status: 'draft' },
    ];
    const partial = (keys: object, status: string) => ({ keys, where: { status } });
    const serving = [partial({ team: 1 }, 'published'), partial({ author: 1 }, 'draft')];
    assert.deepEqual(warningsOf(read, ...serving), []);
    const expected = [
      ['/rules/read/0', 'rule-needs-index', { status: 1, team: 1 }],
      ['/rules/read/1', 'rule-needs-index', { author: 1, status: 1 }],
    ];
    assert.deepEqual(warningsOf(read, partial({ team: 1 }, 'draft'), partial({ author: 1 }, 'published')), expected);
    const others = [{ keys: { team: 'text' } }, { keys: { author: 1, place: '2dsphere' } }];
    assert.deepEqual(warningsOf(read, ...others), expected);
    const exists = { keys: { author: 1 }, where: { author: { $exists: true } } };
    assert.deepEqual(warningsOf([{ author: { $auth: 'sub' } }], exists), []);
  });

  it('say so where no index can', () => {
    const read = [{ hidden: { $ne: true } }, { $or: [{ status: 'x' }, { hidden: { $exists: true } }] }, {}];
    assert.deepEqual(warningsOf(read, { keys: { status: 1 } }, { keys: { hidden: 1 } }), [
      ['/rules/read/0', 'rule-without-index', null],
      ['/rules/read/1', 'rule-without-index', null],
      ['/rules/read/2', 'rule-without-index', null],
    ]);
  });

  it('are none where nothing is looked for', () => {
    for (const read of [undefined, 'public', 'signed-in', [], [{ id: { $in: ['rec_1'] } }]]) {
      assert.deepEqual(warningsOf(read), []);
    }
  });
});
