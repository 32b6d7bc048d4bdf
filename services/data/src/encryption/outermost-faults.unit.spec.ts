import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { parseDefinition } from '../collections/parse-definition.ts';
import { outermostFaults } from './outermost-faults.ts';

const object = { type: 'object' } as const;
const { fields } = parseDefinition({
  schema: { properties: { secret: object, a: { ...object, properties: { b: object } } } },
  fields: { secret: { encrypted: true }, 'a.b': { encrypted: true } },
});

describe('why something was refused', () => {
  const at = (pointer: string) => ({ pointer, code: 'type', message: `about ${pointer}` });

  it('ends at the name of a field that is stored encrypted, once', () => {
    const kept = outermostFaults(
      [at('/secret/diagnosis'), at('/secret'), at('/a/b/0/x'), at('/a/c'), at('/secrets')],
      fields,
    );
    assert.deepEqual(
      kept.map(({ pointer }) => pointer),
      ['/secret', '/a/b', '/a/c', '/secrets'],
    );
    assert.ok(!JSON.stringify(kept).includes('diagnosis'));
    assert.deepEqual(kept.slice(2), [at('/a/c'), at('/secrets')]);
  });
});
