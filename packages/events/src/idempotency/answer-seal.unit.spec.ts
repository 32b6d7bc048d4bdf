import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';

import { sealRequest } from './answer-seal.ts';
import { canonicalJson } from './canonical-json.ts';

describe('answer seal', () => {
  const secret = randomBytes(32);
  const request = { principal: 'public', route: 'POST /v1/auth/sign-up', key: 'k', body: { a: 1 } };

  it('opens what it has sealed for the same request', () => {
    const sealed = sealRequest(secret, request).seal({ status: 201 });
    assert.deepEqual(sealRequest(secret, request).open(sealed), { status: 201 });
  });

  it('opens nothing for another key, body, principal or secret', () => {
    const sealed = sealRequest(secret, request).seal({ status: 201 });
    for (const other of [{ key: 'l' }, { body: { a: 2 } }, { principal: 'usr_1' }, { route: 'POST /' }]) {
      assert.throws(() => sealRequest(secret, { ...request, ...other }).open(sealed));
    }
    assert.throws(() => sealRequest(randomBytes(32), request).open(sealed));
  });

  it('notices a changed byte', () => {
    const sealed = sealRequest(secret, request).seal({ status: 201 });
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = Buffer.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      assert.throws(() => sealRequest(secret, request).open(changed), `byte ${at}`);
    }
  });

  it('cannot be led to take two requests for one by moving the border between their parts', () => {
    const one = sealRequest(secret, { ...request, principal: 'a', route: 'b c' });
    const two = sealRequest(secret, { ...request, principal: 'a b', route: 'c' });
    assert.notEqual(one.id, two.id);
  });
});

describe('canonical JSON', () => {
  it('is the same text for equal values', () => {
    assert.equal(canonicalJson({ b: [{ d: 1, c: 2 }], a: null }), '{"a":null,"b":[{"c":2,"d":1}]}');
    assert.equal(canonicalJson(undefined), 'null');
  });

  it('keeps a property named __proto__', () => {
    assert.equal(canonicalJson(JSON.parse('{"__proto__":{"x":1},"a":2}')), '{"__proto__":{"x":1},"a":2}');
  });

  it('tells arrays in another order apart', () => {
    assert.notEqual(canonicalJson([1, 2]), canonicalJson([2, 1]));
  });
});
