import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach, describe, it } from 'node:test';

import { Redis } from 'ioredis';

import { openTestAuth, password, randomEmail, signUp } from '../testing/test-auth.ts';
import type { Answered, TestAuth, TestReplica } from '../testing/test-auth.ts';
import { alike, verifyAddress } from '../testing/test-links.ts';
import { openTestMailbox } from '../testing/test-mailbox.ts';

const calls = ['/v1/auth/sign-in/link', '/v1/auth/password/reset', '/v1/auth/email/verification'];
let networks = 0;

describe('how many links are mailed because somebody at one place asks', () => {
  let world: TestAuth;
  let auth: TestReplica;
  /** An IPv6 site that nobody has asked from yet. */
  let site: string;

  const from = (ip: string) => ({ 'x-forwarded-for': ip, ...auth.service.internalHeaders });
  const ask = (call: string, email: string, ip: string): Promise<Answered> =>
    auth.call(`POST ${call}`, { body: { email }, headers: from(ip) });
  const fill = async (ip: string): Promise<void> => {
    for (let count = 0; count < 4; count += 1)
      assert.equal((await ask(calls[count % 3] ?? '', randomEmail(), ip)).status, 202);
  };
  const refused = ({ status, headers, body }: Answered): void => {
    assert.deepEqual([status, body.code], [429, 'too-many-links'], JSON.stringify(body));
    const retryAfterS = Number(headers.get('retry-after'));
    assert.ok(retryAfterS > 3_000 && retryAfterS <= 3_600, `${retryAfterS}`);
    assert.equal(headers.get('causeway-event'), null);
  };

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica({ LINKS_PER_BLOCK: '4', PUBLIC_URL: 'https://causeway.example' });
  });
  beforeEach(() => {
    networks += 1;
    site = `2001:db8:0:${networks}`;
  });
  after(() => world.stop());

  it('is as the setting says, of all kinds, for whichever addresses, in words', async () => {
    await fill(`${site}::1`);
    for (const call of calls) refused(await ask(call, randomEmail(), `${site}::2`));
    assert.equal((await ask(calls[0]!, randomEmail(), '2001:db8:ffff::1')).status, 202, 'from elsewhere');
    const answer = await ask(calls[0]!, randomEmail(), `${site}::3`);
    assert.match(String(answer.body.title), /Too many links/);
    assert.equal(answer.headers.get('content-type'), 'application/problem+json');
  });

  it('is by the address alone in IPv4, however it is written', async () => {
    const ip = `192.0.2.${networks}`;
    await fill(ip);
    refused(await ask(calls[0]!, randomEmail(), `::ffff:${ip}`));
    assert.equal((await ask(calls[0]!, randomEmail(), `192.0.2.${networks + 100}`)).status, 202);
  });

  it('tells nobody who has an account, before and after', async () => {
    const mailbox = await openTestMailbox(world);
    const ada = await signUp(auth);
    await verifyAddress(auth, mailbox, ada);
    const [known, unknown] = [
      await ask(calls[0]!, ada.email, `${site}::1`),
      await ask(calls[0]!, randomEmail(), `${site}::1`),
    ];
    assert.deepEqual([known.status, known.body, alike(known.headers)], [202, unknown.body, alike(unknown.headers)]);
    await fill(`2001:db8:1:${networks}::1`);
    const [late, later] = [
      await ask(calls[0]!, ada.email, `2001:db8:1:${networks}::1`),
      await ask(calls[0]!, randomEmail(), `2001:db8:1:${networks}::1`),
    ];
    for (const answer of [late, later]) refused(answer);
    const words = ({ body: { requestId: _own, instance: _id, ...rest } }: Answered) => rest;
    assert.deepEqual(words(late), words(later));
    const names = ({ headers }: Answered) => [...headers.keys()].sort();
    assert.deepEqual(names(late), names(later));
  });

  it('counts a change of address, and mails nothing of what it refuses', async () => {
    const ada = await signUp(auth);
    const change = (email: string) =>
      auth.call('POST /v1/auth/email', { body: { email }, token: ada.accessToken, headers: from(`${site}::1`) });
    assert.equal((await change(randomEmail())).status, 202);
    for (let count = 0; count < 3; count += 1)
      assert.equal((await ask(calls[0]!, randomEmail(), `${site}::1`)).status, 202);
    const email = randomEmail();
    refused(await change(email));
    refused(await ask(calls[0]!, email, `${site}::1`));
    assert.equal(await world.db.collection('proofs').countDocuments({ emailKey: email }), 0);
    // Nor has it taken a link from that address.
    assert.equal((await ask(calls[0]!, email, '2001:db8:fffe::1')).status, 202);
    assert.equal(await world.db.collection('proofs').countDocuments({ emailKey: email }), 1);
  });

  it('counts who signs up, once for a call that is repeated', async () => {
    const signUpFrom = (email: string, key: string = randomUUID()): Promise<Answered> => {
      const headers = { ...from(`${site}::1`), 'idempotency-key': key };
      return auth.call('POST /v1/auth/sign-up', { body: { email, password }, headers });
    };
    const again = [randomEmail(), randomUUID()] as const;
    for (let count = 0; count < 5; count += 1) assert.equal((await signUpFrom(...again)).status, 201);
    for (let count = 0; count < 3; count += 1) assert.equal((await signUpFrom(randomEmail())).status, 201);
    const email = randomEmail();
    refused(await signUpFrom(email));
    assert.equal(await world.db.collection('accounts').countDocuments({ emailKey: email }), 0);
    assert.equal((await signUpFrom(...again)).status, 201, 'what was answered is answered again');
    refused(await ask(calls[0]!, email, `${site}::1`));
  });

  it('is the same for forms, which say how long to wait', async () => {
    await fill(`${site}::1`);
    const page = await auth.service.fetch('/account/link', { headers: from(`${site}::1`) });
    const csrf = /name="csrf" value="([^"]+)"/.exec(await page.text())?.[1] ?? assert.fail('no form');
    const cookie = page.headers
      .getSetCookie()
      .map((each) => each.split(';')[0])
      .join('; ');
    const sent = await auth.service.fetch('/account/link', {
      method: 'POST',
      headers: { ...from(`${site}::1`), cookie, 'sec-fetch-site': 'same-origin' },
      body: new URLSearchParams({ email: randomEmail(), csrf }),
    });
    assert.equal(sent.status, 429);
    assert.match(
      await sent.text(),
      /Too many links were asked for from your network\. Try again in (5\d|60) minutes\./,
    );
  });

  it('leaves no address in Redis that anybody could read', async () => {
    await fill(`${site}::1`);
    const redis = new Redis(process.env.REDIS_URL ?? assert.fail('REDIS_URL is not set'));
    const prefix = `${world.db.databaseName}:links`;
    const keys = await redis.keys(`${prefix}*`);
    redis.disconnect();
    assert.ok(keys.length > 0);
    for (const key of keys) assert.match(key.slice(prefix.length), /^:[\w-]{22}$/);
  });
});
