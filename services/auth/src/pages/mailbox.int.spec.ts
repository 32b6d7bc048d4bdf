import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';

import { derivedId } from '@causeway/contracts';

import { loadRootKey } from '../keys/root-key.ts';
import { createMailbox } from '../mailbox/mailbox.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import { Browser } from '../testing/browser.ts';
import { administratorSettings } from '../testing/test-administrator.ts';
import { openTestAuth, password as anybodys, signUp } from '../testing/test-auth.ts';
import type { TestAuth, TestReplica } from '../testing/test-auth.ts';

const idOf = (name: string): string => derivedId('mal', name);

describe('the page of the mailbox', () => {
  let world: TestAuth;
  let auth: TestReplica;
  let browser: Browser;
  let mailbox: Mailbox;

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica({ ...administratorSettings, PUBLIC_URL: 'https://causeway.example' });
    const { vault } = await loadRootKey(world.db, world.environment.CAUSEWAY_MASTER_KEY ?? '');
    mailbox = createMailbox({ db: world.db, vault: vault('mailbox'), now: () => new Date() });
    for (const name of ['ada', '<b>eve</b>'])
      await mailbox.put({
        ...{ id: idOf(name), to: 'ada@example.com', subject: `For ${name}`, html: '<script>alert(1)</script>' },
        text: `Dear ${name}, <img src=x> https://causeway.example/account/verify/cwp_1?a=1&b=2 javascript:alert(1)`,
      });
    await mailbox.put({ id: idOf('bob'), to: 'bob@example.com', subject: 'For bob', html: '', text: 'Dear bob' });
  });
  after(() => world.stop());
  beforeEach(() => {
    browser = new Browser(auth);
  });

  const signIn = async (email: string, password: string): Promise<void> => {
    const done = await browser.send(await browser.open('/account/sign-in'), { email, password });
    assert.equal(done.status, 303);
  };
  const asAdministrator = () =>
    signIn(administratorSettings.CAUSEWAY_ADMIN_EMAIL, administratorSettings.CAUSEWAY_ADMIN_PASSWORD);

  it('is for administrators alone', async () => {
    for (const path of ['/mailbox', `/mailbox/${idOf('ada')}`])
      assert.equal((await browser.open(path)).location, `/account/sign-in?next=${encodeURIComponent(path)}`);
    await signIn((await signUp(auth)).email, anybodys);
    for (const path of ['/mailbox', `/mailbox/${idOf('ada')}`]) {
      const page = await browser.open(path);
      assert.equal(page.status, 403);
      assert.equal(page.headers.get('content-type'), 'text/html; charset=utf-8');
      assert.doesNotMatch(page.text, /For ada|Dear ada/);
    }
    assert.doesNotMatch((await browser.open('/account/security')).text, /href="\/mailbox"/);
  });

  it('lists mails, of all or of one address, and shows one as text whose links can be followed', async () => {
    await asAdministrator();
    assert.match((await browser.open('/account/security')).text, /href="\/mailbox"/);
    const all = await browser.open('/mailbox');
    assert.equal(all.status, 200);
    assert.equal(all.headers.get('cache-control'), 'no-store');
    assert.match(all.text, /For ada[\s\S]*|For bob/);
    assert.match(all.text, /For &lt;b&gt;eve&lt;\/b&gt;/);
    const some = await browser.open('/mailbox?to=BOB%40example.com');
    assert.match(some.text, /For bob/);
    assert.doesNotMatch(some.text, /For ada/);
    assert.match((await browser.open('/mailbox?to=nobody%40example.com')).text, /There are none to this address/);
    assert.equal((await browser.open('/mailbox?to=%22%3E%3Cscript%3E')).status, 400);

    const mail = await browser.open(`/mailbox/${idOf('<b>eve</b>')}`);
    assert.match(mail.text, /Dear &lt;b&gt;eve&lt;\/b&gt;, &lt;img src=x&gt;/);
    assert.match(
      mail.text,
      /<a href="https:\/\/causeway\.example\/account\/verify\/cwp_1\?a=1&amp;b=2" rel="noreferrer">/,
    );
    assert.doesNotMatch(mail.text, /<script|<img|<b>|href="javascript/);
    assert.equal((await browser.open(`/mailbox/${idOf('nobody')}`)).status, 404);
    assert.equal((await browser.open('/mailbox/nothing')).status, 404);
  });
});
