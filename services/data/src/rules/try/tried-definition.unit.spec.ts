import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { definitionWith } from './tried-definition.ts';

const present = {
  collection: 'notes',
  schema: {},
  rules: { read: 'public', create: 'signed-in' },
  fields: { until: { default: null }, secret: { read: [], write: [] } },
} as unknown as Parameters<typeof definitionWith>[0];

describe('a definition that is tried', () => {
  it('is as it is where nothing is asked, defaults that are null included', () => {
    const { fields, rules } = definitionWith(present, {});
    assert.deepEqual({ fields, rules }, { fields: present.fields, rules: present.rules });
  });

  it('is without what is asked to be null', () => {
    const { fields, rules } = definitionWith(present, {
      rules: { create: null },
      fields: { secret: { write: null }, until: { read: [] } },
    });
    assert.deepEqual(rules, { read: 'public' });
    assert.deepEqual(fields, { until: { default: null, read: [] }, secret: { read: [] } });
  });
});
