import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Fault } from '@causeway/contracts';

import { mergePatch } from './merge-patch.ts';
import { applyProfilePatch, profilePatch } from './profile-patch.ts';

const current = {
  name: 'Ada',
  email: 'ada@example.com',
  bio: 'Countess',
  preferences: { theme: 'dark', mail: { weekly: true } },
};
const apply = (patch: unknown) => applyProfilePatch(current, profilePatch.parse(patch));

describe('merge patch', () => {
  // RFC 7396, appendix A.
  for (const [target, patch, result] of [
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ]) {
    it(`makes ${JSON.stringify(result)} of ${JSON.stringify(target)} and ${JSON.stringify(patch)}`, () => {
      assert.deepEqual(mergePatch(target, patch), result);
    });
  }

  it('changes neither argument and no prototype', () => {
    const target = Object.freeze({ a: Object.freeze({ b: 1 }) });
    mergePatch(target, JSON.parse('{"a":{"b":2},"__proto__":{"polluted":true}}'));
    assert.deepEqual(target, { a: { b: 1 } });
    assert.equal(({} as Record<string, unknown>).polluted, undefined);
  });
});

describe('patch of a profile', () => {
  it('changes what it names and says what has changed', () => {
    assert.deepEqual(apply({ name: ' Ada Lovelace ', bio: null, preferences: { mail: { weekly: false } } }), {
      state: {
        name: 'Ada Lovelace',
        email: 'ada@example.com',
        preferences: { theme: 'dark', mail: { weekly: false } },
      },
      changed: ['bio', 'name', 'preferences'],
    });
  });

  it('changes nothing where it says what is there already', () => {
    assert.deepEqual(apply({ name: 'Ada', preferences: { theme: 'dark' }, avatarUrl: null }).changed, []);
    assert.deepEqual(apply({}).changed, []);
  });

  it('leaves preferences empty where they are removed', () => {
    assert.deepEqual(apply({ preferences: null }).state.preferences, {});
  });

  it('writes locales and time zones in their canonical form', () => {
    const { state } = apply({ locale: 'DE-at', timeZone: 'europe/vienna' });
    assert.equal(state.locale, 'de-AT');
    assert.equal(state.timeZone, 'Europe/Vienna');
  });

  for (const patch of [
    { name: null },
    { name: '' },
    { name: '  ' },
    { name: 'a'.repeat(201) },
    { name: 'a\nb' },
    { name: { $gt: '' } },
    { email: 'eve@example.com' },
    { id: 'usr_1' },
    { revision: 9 },
    { roles: ['admin'] },
    { avatarUrl: 'javascript:alert(1)' },
    { avatarUrl: 'data:image/png;base64,AAAA' },
    { avatarUrl: 'https://user:secret@example.com/a.png' },
    { avatarUrl: '/relative.png' },
    { bio: 'a'.repeat(2001) },
    { bio: 'a\u0000b' },
    { locale: 'not a locale' },
    { timeZone: 'Mars/Olympus' },
    { timeZone: '+02:00' },
    { preferences: [] },
    { preferences: 'dark' },
    [],
    'name',
    null,
  ]) {
    it(`refuses ${JSON.stringify(patch).slice(0, 60)}`, () => {
      assert.equal(profilePatch.safeParse(patch).success, false);
    });
  }

  const refusal = (preferences: unknown) => {
    try {
      apply({ preferences });
    } catch (error) {
      assert.ok(error instanceof Fault);
      assert.equal(error.status, 400);
      return error.errors[0];
    }
    return assert.fail('was taken');
  };

  it('bounds the preferences in size, depth and names', () => {
    assert.equal(refusal({ large: 'x'.repeat(16_384) })?.code, 'too-large');
    const deep: unknown = JSON.parse(`${'{"a":'.repeat(9)}1${'}'.repeat(9)}`);
    assert.equal(refusal(deep)?.code, 'too-deep');
    assert.deepEqual(refusal({ list: [{ 'a/b.c': 1 }] })?.pointer, '/preferences/list/0/a~1b.c');
    for (const name of ['$set', 'a.b', '', 'x'.repeat(101)]) assert.equal(refusal({ [name]: 1 })?.code, 'invalid-name');
  });

  it('bounds them after merging, not before', () => {
    const half = { half: 'x'.repeat(9000) };
    const first = applyProfilePatch(current, profilePatch.parse({ preferences: half })).state;
    assert.throws(
      () => applyProfilePatch(first, profilePatch.parse({ preferences: { other: 'x'.repeat(9000) } })),
      Fault,
    );
  });
});
