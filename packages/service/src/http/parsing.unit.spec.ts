import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Fault, jsonPointer } from '@causeway/contracts';
import { z } from 'zod';

import { deepestJson } from './json-limits.ts';
import { findJsonError } from './json-syntax.ts';
import { mediaTypeOf, negotiate } from './media-type.ts';
import { allowedMethods, expressPath } from './path-template.ts';
import { parseQuery } from './query.ts';
import { parseJson } from './read-body.ts';
import { strictAtTop, validateBody, validateParams, validateQuery } from './validate.ts';

const errorsOf = (body: () => unknown): Fault['errors'] => {
  try {
    body();
  } catch (error) {
    assert.ok(error instanceof Fault);
    return error.errors;
  }
  return assert.fail('nothing was thrown');
};

describe('the place of a JSON error', () => {
  for (const [text, line, column] of [
    ['', 1, 1],
    ['{', 1, 2],
    ['[1,]', 1, 4],
    ['{"a":1,}', 1, 8],
    ['{"a" 1}', 1, 2],
    ['{"a":\n  tru}', 2, 3],
    ['[1 2]', 1, 4],
    ['{"a":1}}', 1, 8],
    ['"\\x"', 1, 1],
    ['01', 1, 2],
    ['[}', 1, 2],
    ['"a', 1, 1],
    ["{'a':1}", 1, 2],
  ] as const) {
    it(`of ${JSON.stringify(text)} is line ${line}, column ${column}`, () => {
      assert.throws(() => JSON.parse(text) as unknown);
      assert.deepEqual(findJsonError(text), { line, column });
    });
  }
});

describe('JSON that a client sent', () => {
  const nested = (levels: number): Buffer => Buffer.from('['.repeat(levels) + ']'.repeat(levels));

  it('is parsed', () => {
    assert.deepEqual(parseJson(Buffer.from('{"a":[1,{"constructor":"me"}],"b":"ü"}')), {
      a: [1, { constructor: 'me' }],
      b: 'ü',
    });
  });

  it('may be nested so deep, and no deeper', () => {
    assert.ok(parseJson(nested(deepestJson)));
    assert.equal(errorsOf(() => parseJson(nested(deepestJson + 1)))[0]?.code, 'too-deep');
    assert.equal(errorsOf(() => parseJson(nested(10_000)))[0]?.code, 'too-deep');
  });

  it('is told where it is nested too deep, and not at length', () => {
    const inside = (key: string, levels: number): Buffer =>
      Buffer.from(`{"name": [], ${JSON.stringify(key)}: ${'['.repeat(levels)}${']'.repeat(levels)}}`);
    const pointerOf = (bytes: Buffer) => errorsOf(() => parseJson(bytes))[0]?.pointer;
    assert.equal(pointerOf(inside('deep', 200)), `/deep${'/0'.repeat(deepestJson - 1)}`);
    assert.equal(pointerOf(inside('x'.repeat(1_000), 200)), '');
    const within = `{"a": {"b": {${JSON.stringify('x'.repeat(1_000))}: {"__proto__": 1}}}}`;
    assert.equal(pointerOf(Buffer.from(within)), '/a/b');
  });

  for (const [text, pointer] of [
    ['{"__proto__":{"admin":true}}', '/__proto__'],
    ['{"a":[{"\\u005f_proto__":1}]}', '/a/0/__proto__'],
    ['{"a":[{"_bsontype":"Long"}]}', '/a/0/_bsontype'],
    ['{"a/b":{"constructor":{"prototype":{}}}}', '/a~1b/constructor'],
  ] as const) {
    it(`takes no name that means something to others: ${text}`, () => {
      const [error] = errorsOf(() => parseJson(Buffer.from(text)));
      assert.equal(error?.code, 'forbidden-name');
      assert.equal(error.pointer, pointer);
    });
  }

  for (const [what, bytes, code] of [
    ['empty', Buffer.alloc(0), 'empty'],
    ['no UTF-8', Buffer.from([0x22, 0xc3, 0x28, 0x22]), 'not-utf-8'],
    ['no JSON', Buffer.from('{"password":"hunter2"'), 'malformed-json'],
  ] as const) {
    it(`is refused when it is ${what}, without being quoted`, () => {
      const [error] = errorsOf(() => parseJson(bytes));
      assert.equal(error?.code, code);
      assert.doesNotMatch(error.message, /hunter2/);
    });
  }
});

describe('a query', () => {
  it('is flat, whatever the brackets', () => {
    assert.deepEqual(
      { ...parseQuery('/x?a[$gt]=1&b=2&b=3&c=a%20b+c&d') },
      { 'a[$gt]': '1', b: ['2', '3'], c: 'a b c', d: '' },
    );
    assert.deepEqual({ ...parseQuery('/x') }, {});
  });

  it('cannot reach a prototype', () => {
    assert.deepEqual(Object.keys(parseQuery('/x?__proto__=1')), ['__proto__']);
    assert.equal(Object.getPrototypeOf(parseQuery('/x?__proto__=1')), null);
  });

  it('is refused with a malformed percent-encoding', () => {
    assert.equal(errorsOf(() => parseQuery('/x?a=%zz'))[0]?.code, 'malformed');
  });
});

describe('validation', () => {
  const schema = strictAtTop(
    z.object({
      email: z.email(),
      name: z.string().min(2).max(5).optional(),
      role: z.enum(['admin', 'member']).optional(),
      tags: z.array(z.object({ 'a/b': z.int() })).optional(),
      own: z.string({ error: 'Say it our way.' }).optional(),
    }),
  );

  it('names each fault by pointer, code and sentence', () => {
    const errors = errorsOf(() =>
      validateBody(schema, { name: 'x', role: 'root', tags: [{ 'a/b': 1.5 }], own: 1, extra: 1, more: 2 }),
    );
    assert.deepEqual(errors, [
      { pointer: '/email', code: 'required', message: 'This is required.' },
      { pointer: '/name', code: 'too-small', message: 'Must be at least 2 characters long.' },
      { pointer: '/role', code: 'invalid-value', message: 'Must be one of: admin, member.' },
      { pointer: '/tags/0/a~1b', code: 'invalid-type', message: 'Must be a whole number.' },
      { pointer: '/own', code: 'invalid-type', message: 'Say it our way.' },
      { pointer: '/extra', code: 'unknown-field', message: 'There is no such field.' },
      { pointer: '/more', code: 'unknown-field', message: 'There is no such field.' },
    ]);
  });

  it('refuses an operator object where a text belongs, and does not repeat it', () => {
    const errors = errorsOf(() => validateBody(schema, { email: { $gt: '' } }));
    assert.deepEqual(errors, [{ pointer: '/email', code: 'invalid-type', message: 'Must be a string.' }]);
  });

  it('leaves a schema alone that says what becomes of unknown fields', () => {
    assert.deepEqual(validateBody(strictAtTop(z.looseObject({ a: z.int() })), { a: 1, b: 2 }), { a: 1, b: 2 });
  });

  it('names parameters of the query', () => {
    const query = strictAtTop(z.object({ limit: z.coerce.number().int().max(200).optional() }));
    assert.deepEqual(
      errorsOf(() => validateQuery(query, { limit: '201', nope: '' })),
      [
        { parameter: 'limit', code: 'too-big', message: 'Must be at most 200.' },
        { parameter: 'nope', code: 'unknown-field', message: 'There is no such parameter.' },
      ],
    );
  });

  it('finds nothing under a path parameter of another form', () => {
    assert.throws(
      () => validateParams(z.object({ id: z.string().regex(/^usr_/) }), { id: 'x' }),
      (error: unknown) => error instanceof Fault && error.code === 'not-found',
    );
  });
});

describe('media types', () => {
  it('are read without parameters', () => {
    assert.equal(mediaTypeOf('Application/JSON; charset=utf-8'), 'application/json');
    assert.equal(mediaTypeOf('nonsense'), undefined);
    assert.equal(mediaTypeOf(undefined), undefined);
  });

  const offered = ['application/json', 'text/csv'];
  for (const [accept, expected] of [
    [undefined, 'application/json'],
    ['', 'application/json'],
    [' ', 'application/json'],
    ['*/*', 'application/json'],
    ['text/csv', 'text/csv'],
    ['text/*;q=0.5, application/json;q=0.4', 'text/csv'],
    ['*/*;q=0.1, text/csv;q=0', 'application/json'],
    ['application/*', 'application/json'],
    ['image/png', undefined],
    ['application/json;q=0', undefined],
  ] as const) {
    it(`${accept === undefined ? 'nothing' : `"${accept}"`} takes ${expected ?? 'none'}`, () => {
      assert.equal(negotiate(accept, offered), expected);
    });
  }
});

describe('path templates', () => {
  it('are put into the form of Express', () => {
    assert.equal(expressPath('/v1/data/{collection}/{id}'), '/v1/data/:collection/:id');
  });

  it('tell what methods a path takes', () => {
    const at = allowedMethods([
      { method: 'get', path: '/v1/data/{collection}' },
      { method: 'post', path: '/v1/data/{collection}' },
      { method: 'get', path: '/.well-known/jwks.json' },
    ]);
    assert.deepEqual(at('/v1/data/x'), ['GET', 'HEAD', 'OPTIONS', 'POST']);
    assert.deepEqual(at('/.well-known/jwks.json'), ['GET', 'HEAD', 'OPTIONS']);
    assert.deepEqual(at('/xwell-known/jwks.json'), []);
    assert.deepEqual(at('/v1/data/x/y'), []);
  });

  it('are written into pointers with their escapes', () => {
    assert.equal(jsonPointer(['a/b', '~', 0]), '/a~1b/~0/0');
    assert.equal(jsonPointer([]), '');
  });
});
