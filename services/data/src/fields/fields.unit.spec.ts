import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Fault } from '@causeway/contracts';

import { parseDefinition } from '../collections/parse-definition.ts';
import { applyDefaults } from './apply-defaults.ts';
import { demandFieldWrites } from './check-writes.ts';

const schema = {
  properties: {
    status: { enum: ['draft', 'published'] },
    owner: { type: 'string' },
    since: { type: 'string', format: 'date-time' },
    name: { type: 'object', properties: { common: { type: 'string' }, tags: { type: 'array' } } },
  },
};
const at = new Date('2026-01-31T12:00:00.000Z');
const ada = { auth: { sub: 'usr_ada' }, administrator: false };
const admin = { auth: { sub: 'usr_root' }, administrator: true };
const nobody = { auth: {}, administrator: false };

const declare = (fields: unknown) => parseDefinition({ schema, fields }).fields;

describe('defaults', () => {
  const fields = declare({
    'name.tags': { default: ['new'] },
    status: { default: 'draft' },
    owner: { default: { $auth: 'sub' } },
    since: { default: { $now: true } },
  });
  const since = at.toISOString();

  it('fill in what is missing, and within an object that is there', () => {
    assert.deepEqual(applyDefaults(fields, {}, ada, at), { status: 'draft', owner: 'usr_ada', since });
    assert.deepEqual(applyDefaults(fields, { name: {} }, ada, at), {
      ...{ name: { tags: ['new'] }, status: 'draft', owner: 'usr_ada', since },
    });
  });

  it('leave alone what was sent, null too', () => {
    const sent = { status: 'published', owner: null, since: '', name: null };
    assert.deepEqual(applyDefaults(fields, sent, ada, at), sent);
  });

  it('leave a field out where the caller has no such value', () => {
    assert.deepEqual(applyDefaults(fields, {}, nobody, at), { status: 'draft', since });
  });

  it('of objects are there for the defaults within', () => {
    const nested = declare({ 'name.common': { default: 'x' }, name: { default: {} } });
    assert.deepEqual(applyDefaults(nested, {}, ada, at), { name: { common: 'x' } });
  });

  it('change nothing of what was sent, and share nothing with each other', () => {
    const sent = { name: {} };
    const first = applyDefaults(fields, sent, ada, at) as { name: { tags: unknown[] } };
    first.name.tags.push('other');
    assert.deepEqual(sent, { name: {} });
    assert.deepEqual((applyDefaults(fields, sent, ada, at) as { name: unknown }).name, { tags: ['new'] });
  });

  it('give back what is no object', () => {
    for (const sent of [null, [], 'text', undefined]) assert.equal(applyDefaults(fields, sent, ada, at), sent);
  });

  it('are held against the schema when they are defined', () => {
    const pointers = (given: unknown): unknown => {
      try {
        declare(given);
        return [];
      } catch (error) {
        return error instanceof Fault ? error.errors.map((each) => 'pointer' in each && each.pointer) : error;
      }
    };
    assert.deepEqual(pointers({ status: { default: 'gone' } }), ['/fields/status/default']);
    assert.deepEqual(pointers({ name: { default: { common: 1 } } }), ['/fields/name/default/common']);
    assert.deepEqual(pointers({ 'name.common': { default: 1 } }), ['/fields/name.common/default']);
    assert.deepEqual(pointers({ status: { default: { $now: true } } }), ['/fields/status/default']);
    assert.deepEqual(pointers({ since: { default: { $now: true } }, status: { default: { $auth: 'sub' } } }), []);
  });
});

describe('what a definition keeps', () => {
  const fields = declare({ status: { readOnly: true }, 'name.common': { writeOnce: true } });
  const written = (before: unknown, after: unknown, caller = ada, pending?: { fields: typeof fields }): string => {
    try {
      demandFieldWrites({ fields, pending }, caller, before, after);
      return 'taken';
    } catch (error) {
      assert.ok(error instanceof Fault);
      assert.equal(error.status, 422);
      return `${error.code} ${error.errors.map((each) => ('pointer' in each ? each.pointer : '')).join()}`;
    }
  };
  const kept = { status: 'draft', name: { common: 'x', tags: [] } };

  it('is not changed by others, when it is read-only', () => {
    assert.equal(written(undefined, { status: 'draft' }), 'field-read-only /status');
    assert.equal(written(undefined, { status: 'draft' }, admin), 'taken');
    assert.equal(written(undefined, {}), 'taken');
    assert.equal(written(kept, { ...kept, status: 'published' }), 'field-read-only /status');
    assert.equal(written(kept, { name: kept.name }), 'field-read-only /status');
    assert.equal(written(kept, { ...kept, status: 'published' }, admin), 'taken');
    assert.equal(written(kept, { ...kept, other: 1 }), 'taken');
  });

  it('is given a value once by anybody, when it can be written once', () => {
    for (const caller of [ada, admin]) {
      assert.equal(written(undefined, { name: { common: 'x' } }, caller), 'taken');
      for (const before of [{}, { name: {} }, { name: null }, { name: { common: null } }]) {
        assert.equal(written(before, { name: { common: 'x' } }, caller), 'taken', JSON.stringify(before));
      }
      const changes = [{ common: 'y', tags: [] }, { common: null, tags: [] }, { tags: [] }, null, undefined];
      for (const name of changes) {
        const after = name === undefined ? { status: 'draft' } : { status: 'draft', name };
        assert.equal(written(kept, after, caller), 'field-write-once /name/common', JSON.stringify(after));
      }
      assert.equal(written(kept, { ...kept, name: { common: 'x', tags: [1] } }, caller), 'taken');
    }
  });

  it('is kept for the definition that is about to come, too', () => {
    const pending = { fields: declare({ owner: { readOnly: true } }) };
    assert.equal(written({}, { owner: 'x' }, ada, pending), 'field-read-only /owner');
    assert.equal(written({}, { owner: 'x' }), 'taken');
  });
});
