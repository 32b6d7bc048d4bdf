import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { Caller } from '../rules/rule.ts';
import { demandFieldRights, writesHidden } from './check-field-rights.ts';
import { parseFields } from './parse-fields.ts';
import { redact } from './redact.ts';

const at = new Date();
const schema = {
  type: 'object',
  properties: {
    title: { type: 'string' },
    note: { type: 'string' },
    salary: { type: 'number' },
    pin: { type: 'string' },
    code: { type: 'string' },
    contact: { type: 'object', properties: { phone: { type: 'string' } } },
  },
};
const parsed = parseFields(
  {
    note: { write: [{ createdBy: { $auth: 'sub' } }] },
    salary: { read: [] },
    pin: { read: [], write: 'signed-in' },
    code: { read: [], write: 'signed-in', writeOnce: true },
    'contact.phone': { read: [], write: 'signed-in' },
  },
  schema,
  '/fields',
);
assert.ok(parsed.ok);
const definition = { fields: parsed.value, pending: undefined };
const hidden = [['salary'], ['pin'], ['code'], ['contact', 'phone']];
const ada: Caller = { signedIn: true, administrator: false, auth: { sub: 'ada', roles: [] } };

/** The pointers that are refused. */
function refused(whole: object, after: object, createdBy = 'bob', caller = ada): string {
  const before = redact(whole as Record<string, unknown>, hidden);
  const record = { fields: whole, createdBy };
  try {
    demandFieldRights(definition, caller, { before, after, hidden }, record, { at });
    return '';
  } catch (error) {
    const { status, errors = [] } = error as { status: number; errors?: readonly { pointer: string }[] };
    return `${status} ${errors.map(({ pointer }) => pointer).join()}`;
  }
}

describe('rights to write fields', () => {
  it('are asked for where a field is to change', () => {
    assert.equal(refused({ note: 'a' }, { note: 'b' }), '403 /note');
    assert.equal(refused({ note: 'a' }, {}), '403 /note');
    assert.equal(refused({}, { note: 'b' }), '403 /note');
    assert.equal(refused({ note: 'a' }, { note: 'a', title: 'new' }), '');
    assert.equal(refused({ note: 'a' }, { note: 'b' }, 'ada'), '');
    assert.equal(refused({ note: 'a' }, { note: 'b' }, 'bob', { ...ada, administrator: true }), '');
  });

  it('are the same whatever is hidden holds', () => {
    const tables: readonly (readonly [object, string])[] = [
      [{ salary: 5 }, '403 /salary'],
      [{ salary: null }, '403 /salary'],
      [{ pin: '1' }, ''],
      // Whether it has its value already is nobody's business.
      [{ code: '1' }, '403 /code'],
      [{}, ''],
    ];
    for (const whole of [{}, { salary: 5, pin: '1', code: '1' }, { salary: 6, pin: '2', code: '2' }]) {
      for (const [after, expected] of tables)
        assert.equal(refused(whole, after), expected, JSON.stringify([whole, after]));
    }
  });

  it('are needed to take away the object that something hidden may be in', () => {
    const open = { fields: definition.fields.filter(({ path }) => path === 'contact.phone'), pending: undefined };
    const kept = { ...open, fields: open.fields.map(({ write: _write, ...field }) => field) };
    for (const contact of [{}, { phone: '1' }]) {
      const change = { before: { contact: {} }, after: {}, hidden };
      demandFieldRights(open, ada, change, { fields: { contact } }, { at });
      assert.throws(() => demandFieldRights(kept, ada, change, { fields: { contact } }, { at }));
    }
    demandFieldRights(kept, ada, { before: {}, after: { contact: {} }, hidden }, { fields: {} }, { at });
  });

  it('of the definition that is about to come are needed as well', () => {
    const free = { fields: [], pending: { fields: definition.fields } };
    const change = { before: { note: 'a' }, after: { note: 'b' }, hidden: [] };
    assert.throws(() => demandFieldRights(free, ada, change, { fields: {} }, { at }));
  });
});

describe('a value for what is hidden', () => {
  it('is one whatever it is', () => {
    const about = { before: {}, hidden };
    assert.equal(writesHidden({ ...about, after: { pin: null } }), true);
    assert.equal(writesHidden({ ...about, after: { contact: { phone: '' } } }), true);
    assert.equal(writesHidden({ ...about, after: { title: 'x', contact: {} } }), false);
  });
});
