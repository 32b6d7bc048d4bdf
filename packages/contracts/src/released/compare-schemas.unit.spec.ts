import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';

import { compareSchemas } from './compare-schemas.ts';
import { jsonSchemaOf, type JsonSchema } from './json-schema.ts';

type Shape = z.ZodRawShape;

const schemaOf = (data: Shape, description = 'In a test.'): JsonSchema =>
  jsonSchemaOf({ type: 'test.thing.changed', description }, { version: 1, schema: z.object(data) });

/** Each change in words, with what it breaks: `readers`, `log`, both, or nothing. */
const told = (before: JsonSchema, after: JsonSchema): string[] =>
  compareSchemas(before, after).map(({ path, words, breaksReaders, breaksLog }) =>
    [`${path} ${words}`, ...(breaksReaders ? ['readers'] : []), ...(breaksLog ? ['log'] : [])].join(' | '),
  );

/** A kind of change, forward and back. */
type Case = readonly [name: string, before: Shape, after: Shape, forward: readonly string[], back: readonly string[]];

const text = z.string();

const cases: readonly Case[] = [
  ['nothing', { a: text }, { a: text }, [], []],
  [
    'an optional property',
    { a: text },
    { a: text, b: text.optional() },
    ['b is new, and optional'],
    ['b is gone | readers'],
  ],
  ['a required property', { a: text }, { a: text, b: text }, ['b is new, and required | log'], ['b is gone | readers']],
  [
    'what is required',
    { a: text.optional() },
    { a: text },
    ['a has become required | log'],
    ['a has become optional | readers'],
  ],
  [
    'a type',
    { a: text },
    { a: z.number() },
    ['a is now a number, and was a string | readers | log'],
    ['a is now a string, and was a number | readers | log'],
  ],
  [
    'a number that becomes whole',
    { a: z.number() },
    { a: z.int() },
    ['a is now an integer, and was a number | log'],
    ['a is now a number, and was an integer | readers'],
  ],
  [
    'a type that becomes anything',
    { a: text },
    { a: z.unknown() },
    ['a is no longer a string alone | readers'],
    ['a takes only a string now | log'],
  ],
  [
    'a value of an enumeration',
    { a: z.enum(['x', 'y']) },
    { a: z.enum(['x', 'y', 'z']) },
    ['a may now be `z` | readers'],
    ['a may no longer be `z` | log'],
  ],
  [
    'a literal',
    { a: z.literal('x') },
    { a: z.literal('y') },
    ['a may now be `y` | readers', 'a may no longer be `x` | log'],
    ['a may now be `x` | readers', 'a may no longer be `y` | log'],
  ],
  [
    'an enumeration at all',
    { a: text },
    { a: z.enum(['x', 'y']) },
    ['a takes only `x`, `y` now | log'],
    ['a is no longer one of `x`, `y` | readers'],
  ],
  [
    'an upper bound',
    { a: text.max(10) },
    { a: text.max(5) },
    ['a is bound more tightly: `maxLength` is `5`, and was `10` | log'],
    ['a is bound more loosely: `maxLength` is `10`, and was `5` | readers'],
  ],
  [
    'a lower bound',
    { a: z.number().min(0) },
    { a: z.number().min(1) },
    ['a is bound more tightly: `minimum` is `1`, and was `0` | log'],
    ['a is bound more loosely: `minimum` is `0`, and was `1` | readers'],
  ],
  [
    'a bound at all',
    { a: z.array(text) },
    { a: z.array(text).max(3) },
    ['a is bound more tightly: `maxItems` is `3`, and was not set | log'],
    ['a is bound more loosely: `maxItems` is not set, and was `3` | readers'],
  ],
  [
    'a pattern',
    { a: text },
    { a: text.regex(/^x/) },
    ['a has another `pattern`: `"^x"`, and it was not set | log'],
    ['a has another `pattern`: not set, and it was `"^x"` | readers'],
  ],
  [
    'a pattern for another',
    { a: text.regex(/^x/) },
    { a: text.regex(/^y/) },
    ['a has another `pattern`: `"^y"`, and it was `"^x"` | readers | log'],
    ['a has another `pattern`: `"^x"`, and it was `"^y"` | readers | log'],
  ],
  [
    'a nested object',
    { a: z.object({ b: z.object({ c: text }) }) },
    { a: z.object({ b: z.object({ c: text.optional(), d: text.optional() }) }) },
    ['a.b.d is new, and optional', 'a.b.c has become optional | readers'],
    ['a.b.d is gone | readers', 'a.b.c has become required | log'],
  ],
  [
    'a nested object that takes nothing else',
    { a: z.strictObject({ b: text }) },
    { a: z.strictObject({ b: text, c: text.optional() }) },
    ['a.c is new in an object that took no others | readers'],
    ['a.c is gone | readers | log'],
  ],
  [
    'items of a list',
    { a: z.array(z.object({ b: z.enum(['x']) })) },
    { a: z.array(z.object({ b: z.enum(['x', 'y']) })) },
    ['a[].b may now be `y` | readers'],
    ['a[].b may no longer be `y` | log'],
  ],
  [
    'places of a tuple',
    { a: z.tuple([text, text]) },
    { a: z.tuple([text]) },
    [
      'a has another number of places: 1, and it was 2 | readers | log',
      'a is bound more loosely: `minItems` is `1`, and was `2` | readers',
      'a is bound more tightly: `maxItems` is `1`, and was `2` | log',
    ],
    [
      'a has another number of places: 2, and it was 1 | readers | log',
      'a is bound more loosely: `maxItems` is `2`, and was `1` | readers',
      'a is bound more tightly: `minItems` is `2`, and was `1` | log',
    ],
  ],
  [
    'a place of a tuple',
    { a: z.tuple([text, text]) },
    { a: z.tuple([text, z.boolean()]) },
    ['a[1] is now a boolean, and was a string | readers | log'],
    ['a[1] is now a string, and was a boolean | readers | log'],
  ],
  [
    'values of a record',
    { a: z.record(text, z.unknown()) },
    { a: z.record(text, text) },
    ['a.* takes only a string now | log'],
    ['a.* is no longer a string alone | readers'],
  ],
  [
    'names in a record',
    { a: z.record(text, text) },
    { a: z.record(text.max(5), text) },
    ['a.* (names) is bound more tightly: `maxLength` is `5`, and was not set | log'],
    ['a.* (names) is bound more loosely: `maxLength` is not set, and was `5` | readers'],
  ],
  [
    'what is not there',
    { a: text },
    { a: text.nullable() },
    ['a is now a string or null, and was a string | readers'],
    ['a is now a string, and was a string or null | log'],
  ],
  [
    'what is no object',
    { a: z.object({ b: text }) },
    { a: z.object({ b: text }).nullable() },
    ['a now also takes the form `"null"` | readers'],
    ['a no longer takes the form `"null"` | log'],
  ],
  [
    'one form of several',
    { a: z.union([z.object({ b: text }), z.boolean()]) },
    { a: z.union([z.boolean(), z.object({ b: text, c: text })]) },
    ['a.c is new, and required | log'],
    ['a.c is gone | readers'],
  ],
];

describe('a change within a version', () => {
  for (const [name, before, after, forward, back] of cases) {
    it(`of ${name} is told, with whom it breaks, in both directions`, () => {
      assert.deepEqual(told(schemaOf(before), schemaOf(after)).sort(), [...forward].sort());
      assert.deepEqual(told(schemaOf(after), schemaOf(before)).sort(), [...back].sort());
    });
  }

  it('of words alone is none', () => {
    const described = schemaOf({ a: text.describe('A text.').meta({ examples: ['x'] }) }, 'In other words.');
    assert.deepEqual(told(schemaOf({ a: text }), described), []);
  });

  it('of what a property is that is called as a keyword is', () => {
    const before = schemaOf({ title: text, description: text, required: text });
    const after = schemaOf({ title: z.number(), description: text.optional(), required: text });
    assert.deepEqual(told(before, after).sort(), [
      'description has become optional | readers',
      'title is now a number, and was a string | readers | log',
    ]);
  });

  it('of what this does not understand is taken to break all', () => {
    const before = schemaOf({ a: text });
    const after = { ...before, properties: { a: { type: 'string', contains: 3 } } };
    assert.deepEqual(told(before, after), ['a differs in `contains`, which cannot be compared | readers | log']);
  });

  it('is found in a schema that holds itself, and told once', () => {
    const tree = (leaf: z.ZodType): Shape => {
      const node: z.ZodType = z.object({
        leaf,
        get children() {
          return z.array(node);
        },
      });
      return { root: node };
    };
    assert.deepEqual(told(schemaOf(tree(text)), schemaOf(tree(text))), []);
    assert.deepEqual(told(schemaOf(tree(text)), schemaOf(tree(z.number()))), [
      'root.leaf is now a number, and was a string | readers | log',
    ]);
  });
});

describe('a contract as JSON Schema', () => {
  it('is named by the dataschema of its events, and takes what a newer writer adds', () => {
    const schema = schemaOf({ a: z.object({ b: text }), c: z.strictObject({}) });
    assert.equal(schema.$schema, 'https://json-schema.org/draft/2020-12/schema');
    assert.equal(schema.$id, 'urn:causeway:contract:test.thing.changed:1');
    const { a, c } = schema.properties as Record<string, JsonSchema>;
    assert.deepEqual([schema.additionalProperties, a?.additionalProperties], [undefined, undefined]);
    assert.equal(c?.additionalProperties, false, 'unless it is strict for its readers too');
  });

  it('is refused where it transforms what it reads', () => {
    assert.throws(() => schemaOf({ a: text.transform((each) => each.length) }), /[Tt]ransform/);
  });
});
