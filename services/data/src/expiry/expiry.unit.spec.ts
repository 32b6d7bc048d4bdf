import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Fault } from '@causeway/contracts';

import { parseDefinition } from '../collections/parse-definition.ts';
import { firstExpiry, timeOf } from './expiry-of.ts';

describe('the time of a record', () => {
  const schema = { properties: { until: { type: 'string', format: 'date-time' } } };
  const { validate } = parseDefinition({ schema }).schema;

  for (const [text, expected] of [
    ['2026-01-31T12:00:00Z', '2026-01-31T12:00:00.000Z'],
    ['2026-01-31t12:00:00z', '2026-01-31T12:00:00.000Z'],
    ['2026-01-31 12:00:00.5Z', '2026-01-31T12:00:00.500Z'],
    ['2026-01-31T12:00:00.123999999Z', '2026-01-31T12:00:00.123Z'],
    ['2026-01-31T12:00:00+05:30', '2026-01-31T06:30:00.000Z'],
    ['2026-01-31T23:00:00-0230', '2026-02-01T01:30:00.000Z'],
    ['2026-03-01T00:30:00+01', '2026-02-28T23:30:00.000Z'],
    ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00.000Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
    ['0099-12-31T00:00:00Z', '0099-12-31T00:00:00.000Z'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
    ['9999-12-31T23:59:59-01:00', '+010000-01-01T00:59:59.000Z'],
  ] as const) {
    it(`${text} is ${expected}, and the schema takes it`, () => {
      assert.deepEqual(validate({ until: text }), []);
      assert.equal(timeOf(text)?.toISOString(), expected);
    });
  }

  for (const other of ['', 'tomorrow', '2026-01-31', '2026-01-31T12:00:00', 1_767_225_600_000, null, undefined, {}]) {
    it(`is not ${other === undefined ? 'missing' : JSON.stringify(other)}`, () =>
      assert.equal(timeOf(other), undefined));
  }

  it('is looked for in the object that holds it, and is the first of two while a definition is about to come', () => {
    const own = { field: 'a.until', segments: ['a', 'until'] };
    const coming = { field: 'b', segments: ['b'] };
    const [early, late] = ['2026-01-01T00:00:00Z', '2027-01-01T00:00:00Z'];
    const first = (expiry: typeof own | undefined, pending: typeof own | undefined, fields: object) =>
      firstExpiry({ expiry, pending: { expiry: pending } }, fields)?.getTime();
    assert.equal(first(own, undefined, { a: { until: late }, b: early }), Date.parse(late));
    assert.equal(first(own, coming, { a: { until: late }, b: early }), Date.parse(early));
    assert.equal(first(own, coming, { a: { until: early }, b: late }), Date.parse(early));
    assert.equal(first(own, coming, { a: null, b: late }), Date.parse(late));
    assert.equal(first(undefined, coming, { a: { until: early } }), undefined);
  });
});

describe('the expiry of a definition', () => {
  const schema = {
    properties: {
      until: { type: 'string', format: 'date-time' },
      orNull: { type: ['string', 'null'], format: 'date-time' },
      inner: { type: 'object', properties: { until: { $ref: '#/$defs/time' } } },
      text: { type: 'string' },
      day: { type: 'string', format: 'date' },
      either: { type: ['string', 'number'], format: 'date-time' },
      untyped: { format: 'date-time' },
      list: {
        type: 'array',
        items: { type: 'object', properties: { until: { type: 'string', format: 'date-time' } } },
      },
    },
    $defs: { time: { type: 'string', format: 'date-time' } },
  };

  it('names a field that holds nothing but times and null', () => {
    for (const field of ['until', 'orNull', 'inner.until']) {
      const { source, expiry } = parseDefinition({ schema, expiry: { field } });
      assert.deepEqual(source.expiry, { field });
      assert.deepEqual(expiry, { field, segments: field.split('.') });
    }
    assert.equal(Object.hasOwn(parseDefinition({ schema }).source, 'expiry'), false);
  });

  for (const [expiry, pointer] of [
    [null, '/expiry'],
    ['until', '/expiry'],
    [{}, '/expiry'],
    [{ field: 7 }, '/expiry'],
    [{ field: 'until', afterMs: 5 }, '/expiry/afterMs'],
    [{ field: 'text' }, '/expiry/field'],
    [{ field: 'day' }, '/expiry/field'],
    [{ field: 'either' }, '/expiry/field'],
    [{ field: 'untyped' }, '/expiry/field'],
    [{ field: 'list.until' }, '/expiry/field'],
    [{ field: 'list.0.until' }, '/expiry/field'],
    [{ field: 'inner' }, '/expiry/field'],
    [{ field: 'nothing' }, '/expiry/field'],
    [{ field: 'createdAt' }, '/expiry/field'],
    [{ field: 'outbox' }, '/expiry/field'],
    [{ field: 'a..b' }, '/expiry/field'],
    [{ field: '__proto__' }, '/expiry/field'],
    [{ field: '$until' }, '/expiry/field'],
  ] as const) {
    it(`refuses ${JSON.stringify(expiry)}`, () => {
      assert.throws(
        () => parseDefinition({ schema, expiry }),
        (error) => {
          assert.ok(error instanceof Fault && error.status === 400);
          assert.deepEqual(
            error.errors.map((each) => each.pointer),
            [pointer],
          );
          return true;
        },
      );
    });
  }
});
