import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Fault } from '@causeway/contracts';

import { parseDefinition } from '../collections/parse-definition.ts';
import { allIndexesOf } from './all-indexes.ts';
import { referencesIn } from './declared-references.ts';
import { showTargets, storeTargets } from './name-targets.ts';
import { newlyNamed } from './referenced-ids.ts';

const schema = {
  type: 'object',
  properties: {
    author: { type: ['string', 'null'] },
    tags: { type: 'array', items: { type: 'string' } },
    up: { type: 'string' },
  },
};
const stored = {
  author: { readOnly: true, reference: { collection: 'col_people' } },
  tags: { reference: { collection: 'col_tags' } },
  up: { reference: { collection: 'self' } },
};
const references = referencesIn('col_own', parseDefinition({ schema, fields: stored }).fields);

describe('references', () => {
  it('are stored by the ids of collections, and shown by their names', async () => {
    const sent = {
      author: { readOnly: true, reference: { collection: 'people', onDelete: 'restrict' } },
      tags: { reference: { collection: 'tags' } },
      up: { reference: { collection: 'tree' } },
    };
    const idOf = (name: string) => Promise.resolve(name === 'gone' ? undefined : `col_${name}`);
    const fields = await storeTargets('tree', sent, idOf);
    assert.deepEqual(fields, stored);
    assert.deepEqual(parseDefinition({ schema, fields }).source.refersTo, ['col_people', 'col_tags']);
    const names = new Map([
      ['col_people', 'people'],
      ['col_tags', 'tags'],
    ]);
    const { author, ...others } = sent;
    const shown = { author: { ...author, reference: { collection: 'people' } }, ...others };
    assert.deepEqual(showTargets('tree', fields, names), shown);
    const gone = { up: { reference: { collection: 'gone' } }, author: { reference: { collection: 'gone' } } };
    await assert.rejects(storeTargets('tree', gone, idOf), (error: unknown) => {
      const pointers = error instanceof Fault ? error.errors.map(({ pointer }) => pointer) : [];
      assert.deepEqual(pointers, ['/fields/up/reference/collection', '/fields/author/reference/collection']);
      return true;
    });
  });

  it('are looked at where a record names what it did not name there', () => {
    const named = (before: unknown, after: unknown) =>
      newlyNamed(references, before, after).map(({ target, id, pointer }) => `${target}/${id} ${pointer}`);
    assert.deepEqual(named(undefined, { author: 'a', tags: ['b', 'c'], up: 'd' }), [
      'col_people/a /author',
      'col_tags/b /tags/0',
      'col_tags/c /tags/1',
      'col_own/d /up',
    ]);
    assert.deepEqual(named({ author: 'a', tags: ['b'] }, { author: 'a', tags: ['c', 'b'] }), ['col_tags/c /tags/0']);
    assert.deepEqual(named({ author: 'a' }, { up: 'a' }), ['col_own/a /up']);
    assert.deepEqual(named({ author: 'a' }, { author: null }), []);
    assert.deepEqual(named(undefined, {}), []);
  });

  it('have an index each, unless one that is given leads to them', () => {
    const added = (indexes: Parameters<typeof allIndexesOf>[0]['indexes']) =>
      allIndexesOf({ schema, indexes, rules: {}, fields: stored })
        .slice(indexes.length)
        .map(({ keys }) => Object.keys(keys).join());
    assert.deepEqual(added([]), ['author', 'tags', 'up']);
    assert.deepEqual(added([{ keys: { author: -1, up: 1 } }, { keys: { up: 'text' } }]), ['tags', 'up']);
    assert.deepEqual(added([{ keys: { tags: 1 }, where: { up: { $exists: true } } }]), ['author', 'tags', 'up']);
  });
});
