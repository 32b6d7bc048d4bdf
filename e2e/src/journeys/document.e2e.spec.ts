import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { request } from 'undici';
import { apiDocument, call } from '../harness/client.ts';
import { expectProblem } from '../harness/expectations.ts';
import { admin, signUp } from '../harness/people.ts';
import { addressOf } from '../harness/platform.ts';
import { promisedCalls } from '../harness/promised-calls.ts';

/** Answers that are for people and machines around the API, not part of it. */
const around = new Set([
  ...['get /openapi.json', 'get /asyncapi.json', 'get /schemas', 'get /schemas/{type}/{version}', 'get /docs'],
  ...['get /healthz', 'get /readyz'],
]);

const methods = ['get', 'put', 'post', 'patch', 'delete'] as const;

describe('/openapi.json', () => {
  it('has every call that is promised, and no other', async () => {
    const { document } = await apiDocument();
    const documented = Object.entries(document.paths)
      .flatMap(([path, operations]) => Object.keys(operations).map((method) => `${method} ${path}`))
      .filter((each) => !around.has(each));
    assert.deepEqual(documented.sort(), [...promisedCalls].sort());
  });

  it('names each operation once, and every reference leads somewhere', async () => {
    const api = await apiDocument();
    assert.match(api.document.openapi, /^3\.1\./);
    const ids = Object.values(api.document.paths).flatMap((each) => Object.values(each).map((one) => one.operationId));
    assert.deepEqual(ids.length, new Set(ids).size, ids.sort().join(' '));
    api.compileAll();
  });

  it('tells nothing of the inside', async () => {
    const { document } = await apiDocument();
    assert.doesNotMatch(JSON.stringify(document), /\/internal\//);
  });
});

describe('what is not routed', () => {
  it('is 404, however it is asked for', async () => {
    const token = await admin();
    for (const path of [
      '/',
      '/v1',
      '/v1/nothing',
      '/v2/users/me',
      '/internal/openapi.json',
      '/v1/orgs',
      '/v1/auth/../internal/log',
    ]) {
      const response = await request(new URL(path, addressOf('gateway')), { method: 'POST' });
      await response.body.dump();
      assert.ok([404, 405].includes(response.statusCode), `POST ${path} → ${response.statusCode}`);
    }
    const answer = await call('GET', '/internal/openapi.json', { token, isUnknown: true });
    await expectProblem(answer, 404, 'not-found');
    for (const path of ['/v1/nothing', '/v1/orgs', '/v1/invitations', '/metrics']) {
      await expectProblem(await call('GET', path, { token, isUnknown: true }), 404, 'not-found');
    }
  });

  it('is 405 with the methods that there are, for a path that has others', async () => {
    const { document } = await apiDocument();
    const { accessToken: token } = await signUp();
    for (const [template, operations] of Object.entries(document.paths)) {
      const path = template.replaceAll(/\{[^}]+\}/g, 'none');
      const method = methods.find((each) => operations[each] === undefined && !isElsewhere(document.paths, path, each));
      if (method === undefined) continue;
      const answer = await call(method.toUpperCase(), path, { token, isUnknown: true });
      await expectProblem(answer, 405, 'method-not-allowed');
      const allowed = (answer.headers.allow ?? '').split(',').map((each) => each.trim().toLowerCase());
      for (const each of Object.keys(operations))
        assert.ok(allowed.includes(each), `${template}: Allow ${allowed.join()}`);
    }
  });
});

/** `PUT /v1/users/me` has no route, but `PUT /v1/users/{id}` might have. */
function isElsewhere(paths: Readonly<Record<string, object>>, path: string, method: string): boolean {
  return Object.entries(paths).some(
    ([template, operations]) =>
      method in operations && new RegExp(`^${template.replaceAll(/\{[^}]+\}/g, '[^/]+')}$`).test(path),
  );
}

describe('/docs', () => {
  it('leads to what subscribers need', async () => {
    const { document } = await apiDocument();
    const { description = '' } = (document as { readonly info?: { readonly description?: string } }).info ?? {};
    for (const path of ['/asyncapi.json', '/schemas']) assert.ok(description.includes(`(${path})`), description);
  });

  it('works without the internet: all that it loads is here', async () => {
    const gateway = addressOf('gateway');
    const page = await request(new URL('/docs', gateway), { headers: { accept: 'text/html' } });
    const location = page.headers.location;
    const at = new URL(typeof location === 'string' ? location : '/docs', gateway);
    await page.body.dump();
    const html = await (await request(at)).body.text();
    const loaded = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => new URL(match[1] ?? '', at));
    assert.ok(
      loaded.some((url) => url.pathname.endsWith('.js')),
      html,
    );
    for (const url of loaded.filter((each) => /\.(js|css|png|svg|ico)$/.test(each.pathname))) {
      assert.equal(url.origin, new URL(gateway).origin, `${url.href} is elsewhere`);
      const asset = await request(url);
      await asset.body.dump();
      assert.equal(asset.statusCode, 200, url.href);
    }
  });
});
