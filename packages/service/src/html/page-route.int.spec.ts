import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { faults } from '@causeway/contracts';
import { z } from 'zod';

import { localPath } from '../http/local-path.ts';
import { startTestService, type TestService } from '../testing/test-service.ts';
import { html } from './html.ts';
import { definePage } from './page-route.ts';
import { htmlPage } from './page.ts';

const layout: typeof htmlPage = ({ title, body }) =>
  htmlPage({
    title,
    body: html`<header>Top</header>
      ${body}`,
  });
const greeted: string[] = [];
const publicUrl = 'http://causeway.test';

const pages = [
  definePage({
    method: 'get',
    path: '/account/greet/{token}',
    operationId: 'greetPage',
    summary: 'A greeting',
    access: 'anonymous',
    layout,
    problemPage: ({ title, detail, status }) => ({
      title,
      body: html`<h1>${status} ${title}</h1>
        <p>${detail}</p>`,
    }),
    params: z.object({ token: z.string().max(40) }),
    query: z.object({ mood: z.enum(['fault', 'bug']).optional() }),
    handle: ({ params, query }) => {
      if (query.mood === 'fault') throw faults.notFound({ detail: '<script>' });
      if (query.mood === 'bug') throw new Error('secret words');
      return { page: { title: 'Greet', body: html`<p>${params.token}</p>` } };
    },
  }),
  definePage({
    method: 'post',
    path: '/account/greet/{token}',
    operationId: 'greet',
    summary: 'Greets',
    access: 'anonymous',
    layout,
    problemPage: ({ title, errors }) => ({
      title,
      body: html`<ul>
        ${errors?.map((each) => html`<li>${each.pointer}</li>`)}
      </ul>`,
    }),
    form: z.object({ name: z.string().min(1), next: z.string().optional() }),
    handle: ({ body: { name, next } }) => {
      if (name === 'nobody') return { status: 422, page: { title: 'Again', body: html`<p>Who is ${name}?</p>` } };
      greeted.push(name);
      return { seeOther: localPath(next, publicUrl) ?? '/account/greet' };
    },
  }),
];

const post = (body: string, type = 'application/x-www-form-urlencoded') => ({
  method: 'POST',
  body,
  headers: { 'content-type': type },
});

describe('a page', () => {
  let service: TestService;
  before(async () => {
    service = await startTestService(pages);
  });
  after(() => service.stop());

  it('is HTML that nobody keeps, under a strict policy', async () => {
    const answer = await service.fetch('/account/greet/cwp_x');
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('content-type'), 'text/html; charset=utf-8');
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    assert.match(answer.headers.get('content-security-policy') ?? '', /form-action 'self'/);
    assert.match(await answer.text(), /<header>Top<\/header>\s*<p>cwp_x<\/p>/);
  });

  it('answers a form with the way on, or with itself and what is wrong', async () => {
    const done = await service.fetch('/account/greet/cwp_x', post('name=Ada+L&next=%2Faccount%2Fsecurity'));
    assert.deepEqual([done.status, done.headers.get('location')], [303, '/account/security']);
    assert.equal(greeted.at(-1), 'Ada L');
    const evil = await service.fetch('/account/greet/cwp_x', post('name=Ada&next=%2F%2Fevil.example'));
    assert.deepEqual([evil.status, evil.headers.get('location')], [303, '/account/greet']);
    const again = await service.fetch('/account/greet/cwp_x', post('name=nobody'));
    assert.equal(again.status, 422);
    assert.match(await again.text(), /Who is nobody\?/);
  });

  for (const [what, init, status] of [
    ['a field that is missing', post(''), 400],
    ['a field that nobody asked for', post('name=a&roles=admin'), 400],
    ['a field that comes twice', post('name=a&name=b'), 400],
    ['JSON', post('{"name":"a"}', 'application/json'), 415],
    ['plain text, as a form of another origin may be', post('name=a', 'text/plain'), 415],
    ['a form with files', post('--x--', 'multipart/form-data; boundary=x'), 415],
    ['a form in another charset', post('name=a', 'application/x-www-form-urlencoded; charset=latin1'), 415],
    ['a form that is too large', post(`name=${'a'.repeat(20_000)}`), 413],
  ] as const) {
    it(`refuses ${what} with a page, and does nothing`, async () => {
      const before = greeted.length;
      const answer = await service.fetch('/account/greet/cwp_x', init);
      assert.equal(answer.status, status);
      assert.equal(answer.headers.get('content-type'), 'text/html; charset=utf-8');
      assert.match(await answer.text(), /<header>Top<\/header>/);
      assert.equal(greeted.length, before);
    });
  }

  it('for a fault has its status, its words escaped, and the headers of a page', async () => {
    const answer = await service.fetch('/account/greet/cwp_x?mood=fault');
    assert.equal(answer.status, 404);
    assert.match(answer.headers.get('content-security-policy') ?? '', /style-src 'self'/);
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    const text = await answer.text();
    assert.match(text, /404 There is nothing here/);
    assert.match(text, /&lt;script&gt;/);
  });

  it('for a bug says what every 5xx says; neither the log nor the page has what a link holds', async () => {
    const answer = await service.fetch('/account/greet/cwp_hidden?mood=bug');
    assert.equal(answer.status, 500);
    assert.doesNotMatch(await answer.text(), /secret words/);
    await service.fetch('/account/greet/cwp_hidden', { method: 'DELETE' });
    await service.fetch('/account/greet/cwp_hidden/more');
    assert.ok(service.logged.some((line) => line.path === '/account/greet/…' && line.code === 'internal'));
    assert.doesNotMatch(JSON.stringify(service.logged), /cwp_hidden/);
  });

  it('is not part of the documented interface', async () => {
    const answer = await service.fetch('/internal/openapi.json', { headers: service.internalHeaders });
    assert.doesNotMatch(await answer.text(), /greet/);
  });
});
