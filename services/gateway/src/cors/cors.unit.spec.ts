import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { originCheck, parseOriginPattern } from './allowed-origins.ts';
import { createCors } from './cors.ts';

describe('allowed origins', () => {
  it('are exact, or on any port', () => {
    const allowed = originCheck(['http://localhost:*', 'https://app.example.com']);
    for (const origin of ['http://localhost', 'http://localhost:3000', 'https://app.example.com'])
      assert.ok(allowed(origin), origin);
    const refused = [
      'null',
      'https://localhost:3000',
      'http://localhost:3000.evil.example',
      'http://localhost.evil.example',
      'https://app.example.com.evil.example',
      'https://app.example.com:8443',
      'http://localhost:',
    ];
    for (const origin of refused) assert.ok(!allowed(origin), origin);
  });

  it('take no wildcard, path or other scheme', () => {
    for (const text of [
      '*',
      'https://*.example.com',
      'https://example.com/',
      'https://example.com/x',
      'file://x',
      'example.com',
    ]) {
      assert.equal(parseOriginPattern(text), undefined, text);
    }
  });
});

describe('CORS', () => {
  const cors = createCors(['https://app.example.com']);
  const origin = 'https://app.example.com';

  it('lets an allowed page read an answer and what of its head is for clients, never with credentials', () => {
    const headers = cors.answer({ origin });
    assert.equal(headers['access-control-allow-origin'], origin);
    const exposed = (headers['access-control-expose-headers'] ?? '').split(', ');
    for (const name of ['ETag', 'Link', 'Location', 'Retry-After', 'X-Request-Id', 'Causeway-Event'])
      assert.ok(exposed.includes(name), name);
    assert.ok(!('access-control-allow-credentials' in headers));
  });

  it('varies by origin, for others too', () => {
    assert.deepEqual(cors.answer({ origin: 'https://evil.example' }), { vary: 'Origin' });
    assert.deepEqual(cors.answer({}), { vary: 'Origin' });
  });

  it('answers preflights, and takes no other OPTIONS for one', () => {
    const asked = { origin, 'access-control-request-method': 'PATCH' };
    assert.ok(cors.isPreflight('OPTIONS', asked));
    assert.ok(!cors.isPreflight('OPTIONS', { origin }));
    assert.ok(!cors.isPreflight('POST', asked));
    assert.match(cors.preflight(asked)['access-control-allow-methods'] ?? '', /PATCH/);
    assert.equal(
      cors.preflight({ ...asked, origin: 'https://evil.example' })['access-control-allow-methods'],
      undefined,
    );
  });
});
