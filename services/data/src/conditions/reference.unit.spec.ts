import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bindCaller, bindCondition, usesNow } from './bind-condition.ts';
import { compileFilter } from './compile-filter.ts';
import type { Condition, Operand } from './condition.ts';
import { parseOffset } from './duration-offset.ts';
import { parseCondition } from './parse-condition.ts';

const everywhere = { auth: true, now: true, before: true };
const at = new Date('2026-03-01T12:00:00.000Z');

function parse(json: unknown, allowed = everywhere): Condition<Operand> {
  const parsed = parseCondition(json, allowed);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.value;
}

const faultOf = (json: unknown, allowed: Partial<typeof everywhere> = everywhere): string => {
  const parsed = parseCondition(json, allowed);
  assert.ok(!parsed.ok, `${JSON.stringify(json)} was accepted`);
  const [{ pointer, code } = assert.fail(), ...more] = parsed.faults;
  assert.equal(more.length, 0, JSON.stringify(parsed.faults));
  return `${pointer} ${code}`;
};

const queryFor = (json: unknown, before?: object): unknown =>
  compileFilter(bindCondition(parse(json), { auth: { sub: 'usr_1' }, at, before }));

describe('the time in a condition', () => {
  it('is a time where one is kept, and its text elsewhere', () => {
    assert.deepEqual(queryFor({ createdAt: { $gt: { $now: true } } }), { createdAt: { $gt: at } });
    assert.deepEqual(queryFor({ due: { $lte: { $now: true } } }), { 'fields.due': { $lte: at.toISOString() } });
    assert.deepEqual(queryFor({ due: { $now: true } }), { 'fields.due': { $eq: at.toISOString() } });
    assert.deepEqual(queryFor({ dates: { $elemMatch: { $lt: { $now: '-1d' } } } }), {
      'fields.dates': { $elemMatch: { $lt: '2026-02-28T12:00:00.000Z' } },
    });
    assert.deepEqual(queryFor({ dates: { $elemMatch: { end: { $not: { $gt: { $now: '90m' } } } } } }), {
      'fields.dates': { $elemMatch: { $nor: [{ $and: [{ end: { $gt: '2026-03-01T13:30:00.000Z' } }] }] } },
    });
  });

  it('may lie up to ten years away, in whole seconds, minutes, hours or days', () => {
    const day = 86_400_000;
    for (const [text, offsetMs] of [
      ['-24h', -day],
      ['+90s', 90_000],
      ['15m', 900_000],
      ['0d', 0],
      ['3653d', 3_653 * day],
    ] as const) {
      assert.equal(parseOffset(text), offsetMs);
    }
    for (const text of [
      '',
      '-',
      '1',
      'd',
      '-1w',
      '1y',
      '1.5h',
      '1 h',
      '--1h',
      '3654d',
      '9999999999s',
      '1h30m',
      ' 1h',
      '١h',
    ]) {
      assert.equal(parseOffset(text), undefined, text);
    }
  });

  it('is known by the conditions that ask for it', () => {
    const isUsed = (json: unknown): boolean => usesNow(parse(json));
    assert.equal(isUsed({ a: 1, $or: [{ b: { $not: { $lt: { $now: '1d' } } } }] }), true);
    assert.equal(isUsed({ a: { $elemMatch: { b: { $now: true } } } }), true);
    assert.equal(isUsed({ a: { $elemMatch: { $not: { $gt: { $now: true } } } } }), true);
    assert.equal(isUsed({ a: { $auth: 'sub' }, b: { $before: 'b' } }), false);
  });

  it('is left open where a caller alone is filled in', () => {
    const condition = parse({ author: { $auth: 'sub' }, due: { $gt: { $now: '1d' } } });
    const open = bindCaller(condition, { sub: 'usr_1' });
    assert.equal(usesNow(open), true);
    assert.deepEqual(
      compileFilter(bindCondition(open, { at })),
      queryFor({ author: 'usr_1', due: { $gt: { $now: '1d' } } }),
    );
    assert.deepEqual(bindCaller(condition, {}), { kind: 'or', branches: [] });
  });

  it('makes a condition false where nobody says what it is', () => {
    assert.deepEqual(compileFilter(bindCondition(parse({ a: { $ne: { $now: true } } }), {})), { _id: { $in: [] } });
  });

  for (const [json, fault] of [
    [{ a: { $now: false } }, '/a invalid-operand'],
    [{ a: { $now: 5 } }, '/a invalid-operand'],
    [{ a: { $gt: { $now: '-1w' } } }, '/a/$gt invalid-operand'],
    [{ a: { $gt: { $now: true, b: 1 } } }, '/a/$gt invalid-operand'],
    [{ a: { $gt: 1, $now: true } }, '/a invalid-operand'],
    [{ a: { $in: { $now: true } } }, '/a/$in invalid-operand'],
    [{ a: { $in: ['x', { $now: true }] } }, '/a/$in/1 invalid-operand'],
    [{ a: { $nin: [{ $now: '-1d' }] } }, '/a/$nin/0 invalid-operand'],
    [{ a: { $all: [{ $now: true }] } }, '/a/$all/0 invalid-operand'],
    [{ a: { $size: { $now: true } } }, '/a/$size invalid-operand'],
    [{ a: { b: { $now: true } } }, '/a/b/$now invalid-name'],
    [{ $now: true }, '/$now unknown-operator'],
  ] as const) {
    it(`is refused in ${JSON.stringify(json)}`, () => assert.equal(faultOf(json), fault));
  }

  it('is refused where no time is known', () => {
    assert.equal(faultOf({ a: { $gt: { $now: true } } }, { auth: true }), '/a/$gt unknown-operator');
  });
});

describe('what a record was before, in a condition', () => {
  const before = { _id: 'rec_1', fields: { n: 5, a: { b: 'x' }, list: [{ b: 1 }] }, createdAt: at };

  it('is what stood there, or null', () => {
    assert.deepEqual(queryFor({ m: { $gt: { $before: 'n' } } }, before), { 'fields.m': { $gt: 5 } });
    assert.deepEqual(queryFor({ m: { $gt: { $before: 'a.b' } } }, before), { 'fields.m': { $gt: 'x' } });
    assert.deepEqual(queryFor({ m: { $gte: { $before: 'none' } } }, before), { 'fields.m': { $gte: null } });
    assert.deepEqual(queryFor({ m: { $gte: { $before: 'list.b' } } }, before), { 'fields.m': { $gte: null } });
    assert.deepEqual(queryFor({ m: { $gte: { $before: 'n.b' } } }, before), { 'fields.m': { $gte: null } });
  });

  it('is a time where one is kept, and its text elsewhere', () => {
    assert.deepEqual(queryFor({ updatedAt: { $gt: { $before: 'createdAt' } } }, before), { updatedAt: { $gt: at } });
    assert.deepEqual(queryFor({ due: { $gt: { $before: 'createdAt' } } }, before), {
      'fields.due': { $gt: at.toISOString() },
    });
  });

  for (const [json, fault] of [
    [{ a: { $before: 5 } }, '/a invalid-operand'],
    [{ a: { $before: '' } }, '/a invalid-path'],
    [{ a: { $before: '$where' } }, '/a invalid-path'],
    [{ a: { $before: 'outbox.id' } }, '/a invalid-path'],
    [{ a: { $before: '__proto__.x' } }, '/a invalid-path'],
    [{ a: { $before: 'a', b: 1 } }, '/a invalid-operand'],
    [{ a: { $in: [{ $before: 'a' }] } }, '/a/$in/0 invalid-operand'],
    [{ a: { $all: { $before: 'a' } } }, '/a/$all invalid-operand'],
    [{ updatedAt: { $gt: { $before: 'a' } } }, '/updatedAt/$gt invalid-operand'],
  ] as const) {
    it(`is refused in ${JSON.stringify(json)}`, () => assert.equal(faultOf(json), fault));
  }

  it('is refused where nothing is changed', () => {
    assert.equal(faultOf({ a: { $before: 'a' } }, { auth: true, now: true }), '/a unknown-operator');
  });
});
