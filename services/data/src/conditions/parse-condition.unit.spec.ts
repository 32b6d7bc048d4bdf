import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bindCondition } from './bind-condition.ts';
import { compileFilter } from './compile-filter.ts';
import type { LocatedFault } from './located-fault.ts';
import { parseCondition } from './parse-condition.ts';

function faultsOf(json: unknown, auth = false): LocatedFault[] {
  const parsed = parseCondition(json, { auth });
  assert.ok(!parsed.ok, `${JSON.stringify(json)} was accepted`);
  return parsed.faults;
}

function queryFor(json: unknown): unknown {
  const parsed = parseCondition(json, { auth: false });
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return compileFilter(bindCondition(parsed.value, {}));
}

/** Nests a condition in `$and`. */
function nested(levels: number): unknown {
  return levels === 0 ? { a: 1 } : { $and: [nested(levels - 1)] };
}

describe('a filter', () => {
  it('bounds its patterns together, before it takes long over them', () => {
    const anyOf = (count: number, operators: object) => ({
      $or: Array.from({ length: count }, () => ({ a: operators })),
    });
    const codes = (json: unknown) => [...new Set(faultsOf(json).map(({ code }) => code))];
    queryFor(anyOf(20, { $regex: 'foo' }));
    assert.deepEqual(codes(anyOf(21, { $regex: 'foo' })), ['too-large']);
    queryFor(anyOf(2, { $regex: '[Ā-߿]', $options: 'i' }));
    assert.deepEqual(codes(anyOf(3, { $regex: '[Ā-߿]', $options: 'i' })), ['too-large']);
    queryFor(anyOf(4, { $regex: '[ab]{900}' }));
    assert.deepEqual(codes(anyOf(5, { $regex: '[ab]{900}' })), ['too-large']);
    const begun = performance.now();
    faultsOf(anyOf(20, { $regex: '[Ā-߿]'.repeat(40), $options: 'i' }));
    assert.ok(performance.now() - begun < 200);
  });

  it('reaches nothing but the fields and what the service shows of a record', () => {
    assert.deepEqual(queryFor({ 'name.common': 'Chad' }), { 'fields.name.common': { $eq: 'Chad' } });
    assert.deepEqual(queryFor({ id: 'rec_1' }), { _id: { $eq: 'rec_1' } });
    assert.deepEqual(queryFor({ event: { $exists: true } }), { 'fields.event': { $exists: true } });
    assert.equal(faultsOf({ 'outbox.id': { $exists: true } }).length, 1);
    assert.deepEqual(queryFor({ 'fields.a': 1 }), { 'fields.fields.a': { $eq: 1 } });
  });

  for (const path of [
    '_id',
    'a._id',
    '$where.x',
    'a..b',
    '',
    '.a',
    'a.',
    '__proto__',
    'a.constructor',
    'prototype.x',
  ]) {
    it(`refuses the path "${path}"`, () => {
      assert.equal(faultsOf({ a: { $elemMatch: { [path]: 1 } } }).length, 1);
      assert.equal(faultsOf({ [path]: 1 }).length, 1);
    });
  }

  it('refuses parts of what has none, and reserved names', () => {
    assert.equal(faultsOf({ 'createdAt.year': 1 })[0]?.code, 'invalid-path');
    assert.equal(faultsOf({ deletedAt: null })[0]?.code, 'invalid-path');
  });

  it('names an unknown operator and where it stands', () => {
    const [fault] = faultsOf({ $or: [{ a: 1 }, { b: { $where: 'sleep(1)' } }] });
    assert.equal(fault?.pointer, '/$or/1/b/$where');
    assert.equal(fault.code, 'unknown-operator');
    assert.match(fault.message, /`\$where`/);
    for (const name of ['$where', '$expr', '$text', '$jsonSchema', '$comment']) {
      assert.equal(faultsOf({ [name]: {} })[0]?.code, 'unknown-operator');
    }
    for (const name of ['$type', '$mod', '$near', '$bitsAllSet', '$and', 'plain']) {
      assert.equal(faultsOf({ a: { $gt: 1, [name]: 1 } })[0]?.code, 'unknown-operator');
    }
  });

  it('reports all faults at once', () => {
    const pointers = faultsOf({ _id: 1, a: { $size: -1, $exists: 1 }, b: { $in: 'x' } }).map((fault) => fault.pointer);
    assert.deepEqual(pointers, ['/_id', '/a/$size', '/a/$exists', '/b/$in']);
  });

  it('never takes a value for an operator', () => {
    assert.deepEqual(queryFor({ a: { b: 1 } }), { 'fields.a': { $eq: { b: 1 } } });
    assert.equal(faultsOf({ a: { $eq: { $gt: '' } } })[0]?.code, 'invalid-name');
    assert.equal(faultsOf({ a: { b: 1, $gt: 1 } })[0]?.code, 'invalid-name');
    assert.equal(faultsOf(JSON.parse('{"a": {"$eq": {"__proto__": 1}}}'))[0]?.code, 'invalid-name');
    assert.equal(faultsOf({ a: { $in: [{ b: { _bsontype: 'Long' } }] } })[0]?.code, 'invalid-name');
  });

  it('bounds depth, branches, items and nodes', () => {
    queryFor(nested(10));
    assert.equal(faultsOf(nested(11))[0]?.code, 'too-deep');
    const branches = (count: number): unknown => ({ $or: Array.from({ length: count }, () => ({ a: 1 })) });
    queryFor(branches(50));
    assert.equal(faultsOf(branches(51))[0]?.code, 'invalid-operand');
    assert.equal(faultsOf({ $or: [] })[0]?.code, 'invalid-operand');
    assert.equal(faultsOf({ a: { $in: Array.from({ length: 501 }, (_, item) => item) } })[0]?.code, 'too-many-values');
    const many = Array.from({ length: 3 }, () => ({ a: { $in: Array.from({ length: 400 }, (_, item) => item) } }));
    assert.deepEqual(
      faultsOf({ $and: many }).map((fault) => fault.code),
      ['too-large'],
    );
  });

  it('bounds what is nested by $not and $elemMatch', () => {
    const deep = (operator: string, levels: number): unknown =>
      levels === 0 ? { $gt: 1 } : { [operator]: deep(operator, levels - 1) };
    for (const operator of ['$not', '$elemMatch']) {
      queryFor({ a: deep(operator, 10) });
      assert.equal(faultsOf({ a: deep(operator, 11) })[0]?.code, 'too-deep');
    }
  });

  it('compares times as times', () => {
    const time = '2026-01-31T12:00:00.000Z';
    assert.deepEqual(queryFor({ createdAt: { $gt: time } }), { createdAt: { $gt: new Date(time) } });
    assert.deepEqual(queryFor({ createdAt: { $gt: '2026-01-31T13:00:00+01:00' } }), {
      createdAt: { $gt: new Date(time) },
    });
    for (const operand of ['yesterday', 0, '2026-02-30', '2026-01-31T12:00:00', '2026-01-31T12:00:00.0001Z', {}]) {
      assert.equal(faultsOf({ createdAt: operand })[0]?.code, 'invalid-time', JSON.stringify(operand));
    }
    assert.equal(faultsOf({ updatedAt: { $regex: '^2026' } })[0]?.code, 'invalid-operator');
  });

  it('refuses numbers that a double has rounded, and orders of arrays and objects', () => {
    assert.equal(faultsOf(JSON.parse('{"a": 9007199254740993}'))[0]?.code, 'integer-out-of-range');
    assert.equal(faultsOf(JSON.parse('{"a": 1e400}'))[0]?.code, 'number-out-of-range');
    assert.equal(faultsOf({ a: { $gte: [[]] } })[0]?.code, 'invalid-operand');
    assert.equal(faultsOf({ a: { $lt: {} } })[0]?.code, 'invalid-operand');
    assert.equal(faultsOf({ a: '\ud800' })[0]?.code, 'malformed-string');
  });

  it('takes $options only beside $regex', () => {
    assert.deepEqual(queryFor({ a: { $regex: '^b', $options: 'i' } }), { 'fields.a': { $regex: '^[Bb]' } });
    assert.equal(faultsOf({ a: { $options: 'i' } })[0]?.code, 'invalid-operand');
  });

  it('is an object', () => {
    for (const json of [null, [], 'a', 1, undefined]) assert.equal(faultsOf(json)[0]?.code, 'invalid-condition');
    assert.deepEqual(queryFor({}), {});
  });

  it('does not speak of the caller', () => {
    assert.equal(faultsOf({ author: { $auth: 'sub' } })[0]?.code, 'unknown-operator');
  });
});

describe("a caller's value", () => {
  it('is one of those known, as a value or as a list', () => {
    assert.ok(parseCondition({ author: { $auth: 'sub' }, team: { $in: { $auth: 'roles' } } }, { auth: true }).ok);
    assert.ok(parseCondition({ team: { $in: [{ $auth: 'org' }, 'all'] } }, { auth: true }).ok);
    for (const json of [
      { a: { $auth: 'password' } },
      { a: { $auth: 1 } },
      { a: { $auth: 'sub', b: 1 } },
      { a: { $auth: 'roles' } },
      { a: { $in: { $auth: 'sub' } } },
      { a: { $in: [{ $auth: 'roles' }] } },
      { a: { b: { $auth: 'sub' } } },
    ]) {
      assert.equal(faultsOf(json, true).length, 1, JSON.stringify(json));
    }
  });

  it('makes the whole condition false where it is absent, whatever its operator', () => {
    for (const json of [
      { author: { $ne: { $auth: 'org' } } },
      { $nor: [{ author: { $auth: 'org' } }] },
      { $or: [{ open: true }, { author: { $not: { $eq: { $auth: 'org' } } } }] },
      { team: { $nin: { $auth: 'roles' } } },
    ]) {
      const parsed = parseCondition(json, { auth: true });
      assert.ok(parsed.ok);
      assert.deepEqual(compileFilter(bindCondition(parsed.value, { auth: { sub: 'usr_1' } })), { _id: { $in: [] } });
    }
  });
});
