import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { html, Html } from './html.ts';
import { formPageHeaders, htmlPage, pageHeaders } from './page.ts';

/** Under a name that Prettier does not know: the text of these is as it stands. */
const template = html;

/** What people have written to run a script in another's browser. */
const attempts = [
  '<script>alert(1)</script>',
  '</title><script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' autofocus onfocus='alert(1)",
  '" onmouseover="alert(1)',
  '<svg/onload=alert(1)>',
  '<!--><script>alert(1)</script>-->',
  '&lt;script&gt;',
  '</textarea><script>alert(1)</script>',
];

const decode = (text: string): string =>
  text.replaceAll(
    /&(amp|lt|gt|quot|#39);/g,
    (_, name: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"' })[name] ?? "'",
  );

describe('text in a template', () => {
  for (const attempt of attempts) {
    it(`${attempt} stays text`, () => {
      const parts = [html`<p>${attempt}</p>`, html`<i a="${attempt}"></i>`, template`<i a='${attempt}'></i>`];
      const [inElement = '', inDouble = '', inSingle = ''] = parts.map((each) =>
        String(each).replaceAll(/^<(?:p>|i a=["'])|(?:["']><\/i>|<\/p>)$/g, ''),
      );
      for (const written of [inElement, inDouble, inSingle]) {
        assert.doesNotMatch(written, /[<>"']/);
        assert.equal(decode(written), attempt);
      }
    });
  }

  it('is left alone where it is HTML, and escaped in what that was made of', () => {
    const item = (name: string) => html`<li>${name}</li>`;
    assert.equal(String(template`<ul>${['a', '<b>'].map(item)}</ul>`), '<ul><li>a</li><li>&lt;b&gt;</li></ul>');
  });

  it('is nothing where there is none, and a number as it is', () => {
    assert.equal(String(html`${undefined}${false}${0}${''}`), '0');
  });

  it('is no HTML because it looks like some: an object with markup of its own is text', () => {
    const forged = { toString: () => '<script>' } as unknown as Html;
    assert.throws(() => String(html`${forged}`), TypeError);
  });
});

describe('a page', () => {
  const page = htmlPage({ title: '<b>', body: html`<main>x</main>` }).toString();

  it('says its language and fits the width of a phone; its title is text', () => {
    assert.match(page, /^<!doctype html>/);
    assert.match(page, /<html lang="en">/);
    assert.match(page, /<meta name="viewport" content="width=device-width, initial-scale=1" \/>/);
    assert.match(page, /<title>&lt;b&gt;<\/title>/);
  });

  for (const [name, headers] of Object.entries({ pageHeaders, formPageHeaders })) {
    it(`${name}: nothing inline, nothing from elsewhere, no frame around it`, () => {
      const policy = headers['Content-Security-Policy'];
      assert.doesNotMatch(policy, /unsafe|https?:|\*/);
      for (const part of ["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"])
        assert.ok(policy.includes(part));
    });
  }

  it('with a form is kept by nobody, sends its own forms with an origin, and tells nobody its path', () => {
    assert.equal(formPageHeaders['Cache-Control'], 'no-store');
    assert.equal(formPageHeaders['Referrer-Policy'], 'strict-origin');
    assert.match(formPageHeaders['Content-Security-Policy'], /form-action 'self'/);
    assert.match(pageHeaders['Content-Security-Policy'], /form-action 'none'/);
  });
});
