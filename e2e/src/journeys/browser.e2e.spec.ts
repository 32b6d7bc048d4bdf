import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { csrfOf, foreign, openBrowser, own } from '../harness/browser.ts';
import { eventually } from '../harness/eventually.ts';
import { noteSecrets } from '../harness/secrets-used.ts';

describe('a browser', () => {
  it('signs up on a page, is known to every service by its cookies, takes no order of another site, and signs out', async () => {
    const browse = openBrowser();
    const form = await browse('/account/sign-up');
    assert.equal(form.status, 200);
    const csrf = csrfOf(form);
    const fields = { email: `browser-${randomUUID()}@example.com`, password: `password-${randomUUID()}`, csrf };
    noteSecrets('a form', fields);
    const signedUp = await browse('/account/sign-up', {
      method: 'POST',
      headers: own,
      body: new URLSearchParams(fields),
    });
    assert.deepEqual([signedUp.status, signedUp.headers.get('location')], [303, '/account/security']);

    await eventually(async () => assert.equal((await browse('/v1/users/me')).status, 200));
    const rename = (headers: Record<string, string>, name: string) =>
      browse('/v1/users/me', {
        method: 'PATCH',
        headers: { ...headers, 'content-type': 'application/merge-patch+json' },
        body: JSON.stringify({ name }),
      });
    const refused = await rename(foreign, 'Mallory');
    assert.equal(refused.status, 403);
    assert.match(refused.text, /cross-site/);
    assert.equal((await rename(own, 'Ada')).status, 200);
    assert.match((await browse('/v1/users/me')).text, /"name":"Ada"/);
    assert.equal((await browse('/v1/data/no-such-collection')).status, 404);

    const account = await browse('/account/security');
    assert.match(account.text, new RegExp(fields.email));
    const another = csrfOf(account);
    const out = { method: 'POST', headers: own, body: new URLSearchParams({ csrf: another }) };
    assert.equal((await browse('/account/sign-out', out)).status, 303);
    assert.equal((await browse('/v1/users/me')).status, 401);
  });
});
