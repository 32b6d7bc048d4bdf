import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';

import { createBreachedPasswords } from './breached-passwords.ts';

void describe('a look among breached passwords', () => {
  let answer: RequestListener = (_request, response) => void response.end();
  const asked: { url: string | undefined; padding: unknown }[] = [];
  const warnings: string[] = [];
  const server = createServer((request, response) => {
    asked.push({ url: request.url, padding: request.headers['add-padding'] });
    answer(request, response);
  });
  let url = '';
  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/range`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  const digest = hash('sha1', 'dragon tamer', 'hex').toUpperCase();
  const look = (password = 'dragon tamer', signal?: AbortSignal) =>
    createBreachedPasswords({ url, logger: { warn: (_fields, message) => void warnings.push(message) } })(
      password,
      signal,
    );
  const lines =
    (...rows: string[]): RequestListener =>
    (_request, response) =>
      void response.end(rows.join('\r\n'));

  it('tells five characters of the password’s digest, and no more', async () => {
    answer = lines(`${'0'.repeat(35)}:3`, `${digest.slice(5)}:12`);
    assert.equal(await look(), true);
    assert.deepEqual(asked.at(-1), { url: `/range/${digest.slice(0, 5)}`, padding: 'true' });
  });

  it('finds nothing in the ranges of others, and in padding', async () => {
    answer = lines(`${'0'.repeat(35)}:3`, `${digest.slice(5)}:0`);
    assert.equal(await look(), false);
    assert.deepEqual(warnings, []);
  });

  const passing: readonly [string, RequestListener][] = [
    ['answers with an error', (_request, response) => void response.writeHead(503).end()],
    ['sends elsewhere', (_request, response) => void response.writeHead(302, { Location: '/' }).end()],
    ['does not come to an end', (_request, response) => void response.write('x'.repeat(600_000))],
    ['does not answer', () => undefined],
  ];
  for (const [what, listener] of passing) {
    it(`lets the password pass where the service ${what}`, async () => {
      answer = listener;
      warnings.length = 0;
      assert.equal(await look(), false);
      assert.equal(warnings.length, 1);
    });
  }

  it('ends with whoever asks', async () => {
    answer = () => undefined;
    const gone = new AbortController();
    const looking = look('dragon tamer', gone.signal);
    gone.abort(new Error('the client has gone'));
    await assert.rejects(looking, /has gone/);
  });
});
