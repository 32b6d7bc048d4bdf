import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { describe, it } from 'node:test';

import { clientAddress } from './client-address.ts';
import { requestHeaders } from './request-headers.ts';
import { responseHeaders } from './response-headers.ts';
import { isConnectionFailure, upstreamFault } from './upstream-fault.ts';

const forwarding = { requestId: 'r1', clientAddress: '1.2.3.4', internalKey: 'k', proto: 'https', host: 'api.example' };

describe('request headers', () => {
  it('drop those of the connection, by the standard and by name', () => {
    const headers = requestHeaders(
      {
        connection: 'close, X-One , te',
        'x-one': '1',
        'x-two': '2',
        te: 'trailers',
        trailer: 'x',
        upgrade: 'websocket',
        'keep-alive': 'timeout=5',
        'proxy-authorization': 'Basic x',
        'transfer-encoding': 'chunked',
        expect: '100-continue',
      },
      forwarding,
    );
    assert.deepEqual(Object.keys(headers).sort(), [
      'causeway-internal',
      'x-forwarded-for',
      'x-forwarded-host',
      'x-forwarded-proto',
      'x-request-id',
      'x-two',
    ]);
  });

  it('keep what the message means, whatever Connection says', () => {
    const headers = requestHeaders(
      { connection: 'authorization, content-type', authorization: 'Bearer x', 'content-type': 'application/json' },
      forwarding,
    );
    assert.equal(headers.authorization, 'Bearer x');
    assert.equal(headers['content-type'], 'application/json');
  });

  it('let no client speak for the gateway', () => {
    const spoofed = [
      'causeway-internal',
      'causeway-anything',
      'x-forwarded-for',
      'x-forwarded-prefix',
      'x-request-id',
      'forwarded',
      'x-real-ip',
      'traceparent',
      'tracestate',
      'baggage',
      'x-original-url',
      'host',
    ];
    const headers = requestHeaders(
      { ...Object.fromEntries(spoofed.map((name) => [name, 'spoofed'])), 'causeway-after': 'p7' },
      forwarding,
    );
    assert.ok(!Object.values(headers).includes('spoofed'));
    assert.equal(headers['causeway-after'], 'p7');
    assert.equal(headers['causeway-internal'], 'k');
  });

  it('show a service no cookie but the access token’s, and none where a token is in the header', () => {
    const onlyCookie = '__Host-causeway-access';
    const cookie = 'other=1; __Host-causeway-refresh=r; __Host-causeway-access=a; __Host-causeway-device=d';
    const headers = requestHeaders({ cookie }, { ...forwarding, onlyCookie });
    assert.equal(headers.cookie, '__Host-causeway-access=a');
    assert.equal(requestHeaders({ cookie: 'other=1' }, { ...forwarding, onlyCookie }).cookie, undefined);
    const both = requestHeaders({ cookie, authorization: 'Bearer x' }, { ...forwarding, onlyCookie });
    assert.deepEqual([both.cookie, both.authorization], [undefined, 'Bearer x']);
    assert.equal(requestHeaders({ cookie }, forwarding).cookie, cookie);
  });
});

describe('response headers', () => {
  it('put the service over the defaults, and the gateway over the service', () => {
    const head = responseHeaders(
      {
        'cache-control': 'max-age=60',
        'x-request-id': 'theirs',
        vary: 'Accept',
        'set-cookie': ['a', 'b'],
        connection: 'x-hop',
        'x-hop': '1',
        server: 'x',
      },
      { 'Cache-Control': 'no-store', 'X-Request-Id': 'ours', 'X-Content-Type-Options': 'nosniff' },
      { vary: 'Origin', 'access-control-allow-origin': 'https://a' },
    );
    assert.deepEqual(head, {
      'cache-control': 'max-age=60',
      'set-cookie': ['a', 'b'],
      'x-request-id': 'ours',
      'x-content-type-options': 'nosniff',
      vary: 'Accept, Origin',
      'access-control-allow-origin': 'https://a',
    });
  });
});

describe('client address', () => {
  const from = (remoteAddress: string, forwarded?: string) =>
    ({ socket: { remoteAddress }, headers: { 'x-forwarded-for': forwarded } }) as unknown as IncomingMessage;

  it('is the peer where no proxy is trusted', () => {
    assert.equal(clientAddress(from('10.0.0.1', '1.1.1.1'), 0), '10.0.0.1');
    assert.equal(clientAddress(from('::ffff:10.0.0.1'), 0), '10.0.0.1');
  });

  it('is what the outermost trusted proxy saw, never the client’s own word', () => {
    const chain = '6.6.6.6, 1.1.1.1, 10.0.0.2';
    assert.equal(clientAddress(from('10.0.0.1', chain), 1), '10.0.0.2');
    assert.equal(clientAddress(from('10.0.0.1', chain), 2), '1.1.1.1');
    assert.equal(clientAddress(from('10.0.0.1', '[2001:db8::1]:443'), 1), '2001:db8::1');
  });

  it('is the peer where the chain is too short or holds no address', () => {
    assert.equal(clientAddress(from('10.0.0.1', '1.1.1.1'), 2), '10.0.0.1');
    assert.equal(clientAddress(from('10.0.0.1', 'unknown'), 1), '10.0.0.1');
    assert.equal(clientAddress(from('10.0.0.1'), 1), '10.0.0.1');
  });
});

describe('upstream faults', () => {
  it('tell what was carried out: nothing, unknown, or silence', () => {
    const statusOf = (code: string) => upstreamFault(Object.assign(new Error(code), { code })).status;
    for (const code of ['ECONNREFUSED', 'UND_ERR_CONNECT_TIMEOUT', 'ENOTFOUND'])
      assert.equal(statusOf(code), 503, code);
    for (const code of ['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']) assert.equal(statusOf(code), 504, code);
    for (const code of ['UND_ERR_SOCKET', 'ECONNRESET', 'HPE_INVALID_CONSTANT'])
      assert.equal(statusOf(code), 502, code);
  });

  it('are worth another attempt only where the connection failed', () => {
    const failure = (code: string) => isConnectionFailure(Object.assign(new Error(code), { code }));
    assert.ok(failure('ECONNREFUSED') && failure('UND_ERR_SOCKET'));
    assert.ok(!failure('UND_ERR_HEADERS_TIMEOUT') && !failure('HPE_INVALID_CONSTANT'));
  });
});
