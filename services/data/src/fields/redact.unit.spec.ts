import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { redact, restore } from './redact.ts';

const fields = { title: 'x', salary: 5, contact: { email: 'e', phone: '1', fax: '2' }, last: true };
const hidden = [['salary'], ['contact', 'phone'], ['none'], ['none', 'within'], ['title', 'within']];
const seen = { title: 'x', contact: { email: 'e', fax: '2' }, last: true };

describe('redacting fields', () => {
  it('leaves the rest in its order, and changes nothing in place', () => {
    const copy = structuredClone(fields);
    assert.equal(JSON.stringify(redact(fields, hidden)), JSON.stringify(seen));
    assert.deepEqual(fields, copy);
    assert.equal(redact(fields, []), fields);
  });

  it('takes a field and parts of it', () => {
    const none = redact(fields, [['contact'], ['contact', 'phone']]);
    assert.deepEqual(Object.keys(none), ['title', 'salary', 'last']);
  });

  it('does not reach what is inherited', () => {
    assert.equal(redact(fields, [['toString'], ['constructor', 'name']]), fields);
  });
});

describe('restoring fields', () => {
  it('gives the whole back, in its order', () => {
    assert.equal(JSON.stringify(restore(seen, fields, hidden)), JSON.stringify(fields));
    const first = { salary: 5, title: 'x' };
    assert.equal(JSON.stringify(restore({ title: 'y' }, first, [['salary']])), '{"salary":5,"title":"y"}');
  });

  it('leaves what was given a value, and what lost the object around it', () => {
    assert.deepEqual(restore({ salary: 1, contact: {} }, fields, hidden), { salary: 1, contact: { phone: '1' } });
    assert.deepEqual(restore({}, fields, hidden), { salary: 5 });
    assert.deepEqual(restore({ contact: 'text', salary: null }, fields, hidden), { contact: 'text', salary: null });
  });

  it('leaves what is no object', () => {
    for (const none of [[], 'text', null, 5]) assert.deepEqual(restore(none, fields, hidden), none);
  });

  it('undoes redacting of parts within parts', () => {
    const both = [['contact'], ['contact', 'phone']];
    for (const each of [both, both.toReversed()]) assert.deepEqual(restore(redact(fields, each), fields, each), fields);
  });
});
