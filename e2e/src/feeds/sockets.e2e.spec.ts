import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { launch, noChromium, openPage, site } from '../browser/chromium.ts';
import { call } from '../harness/client.ts';
import { createRecord, defineCollection } from '../harness/collections.ts';
import { expectStatus } from '../harness/expectations.ts';
import { openFeedSocket, type SocketMessage } from '../harness/feed-socket.ts';
import { eventually } from '../harness/eventually.ts';
import { openFeed } from '../harness/feed.ts';
import { admin, type Person, signUp } from '../harness/people.ts';

const patienceMs = 60_000;

describe('feeds over a WebSocket', () => {
  let administrator: string;
  let one: Person;
  before(async () => {
    [administrator, one] = await Promise.all([admin(), signUp()]);
  });

  it('are those of an event stream: told of the same, with cursors that either resumes', async () => {
    const collection = await defineCollection(administrator);
    const token = one.accessToken;
    const first = await createRecord(collection, token, { title: 'a', score: 1 });
    const socket = await openFeed(collection, { token, snapshot: true, over: 'socket' });
    await eventually(() => assert.ok(socket.blocks.some(({ event }) => event === 'ready')), { withinMs: patienceMs });
    assert.match(socket.blocks.find(({ event }) => event === 'current')?.data ?? '', new RegExp(first.id));
    const stream = await openFeed(collection, { token, lastEventId: socket.lastId() });
    await createRecord(collection, token, { title: 'b', score: 2 });
    const path = `/v1/data/${collection}/${first.id}`;
    const type = 'application/merge-patch+json';
    expectStatus(await call('PATCH', path, { token, type, json: { score: 3 } }), 200);
    expectStatus(await call('DELETE', path, { token }), 204);
    const [told, toldToo] = [await socket.count(3, patienceMs), await stream.count(3, patienceMs)];
    for (const feed of [socket, stream]) feed.close();
    assert.deepEqual(
      told.map(({ event, data }) => [event, data]),
      toldToo.map(({ event, data }) => [event, data]),
    );
    const rest = await openFeed(collection, { token, lastEventId: toldToo[0]?.id, over: 'socket' });
    assert.deepEqual(
      (await rest.count(2, patienceMs)).map(({ event }) => event),
      ['updated', 'deleted'],
    );
    rest.close();
  });

  it('end with their session, within a second, and say so', async () => {
    const person = await signUp();
    const collection = await defineCollection(administrator);
    const socket = await openFeedSocket(person.accessToken);
    socket.send({ type: 'subscribe', id: 'a', collection });
    await eventually(() => assert.ok(socket.messages.some(({ type }) => type === 'place')), { withinMs: patienceMs });
    expectStatus(await call('POST', '/v1/auth/sign-out', { token: person.accessToken }), 204);
    const begun = performance.now();
    assert.equal(await socket.ended(patienceMs), '4401 session-ended');
    assert.ok(performance.now() - begun < 4_000, 'it took four times what is promised');
  });

  describe('in Chromium', { skip: noChromium ?? false }, () => {
    let browser: Browser;
    before(async () => {
      browser = await launch();
    });
    after(() => browser.close());

    it('are opened by a page, with a token in the first message', async () => {
      const collection = await defineCollection(administrator);
      // The policy of what is no page lets it connect nowhere.
      const { page, context } = await openPage(browser, { bypassCSP: true });
      await page.goto('/healthz');
      const url = `${site().replace(/^http/, 'ws')}/v1/changes`;
      const script = `(() => {
        const heard = (globalThis.heard = []);
        const socket = new WebSocket(${JSON.stringify(url)}, 'causeway.v1');
        socket.onmessage = ({ data }) => heard.push(JSON.parse(data));
        socket.onclose = ({ code, reason }) => heard.push({ type: 'closed', id: code + ' ' + reason });
        socket.onerror = () => heard.push({ type: 'failed' });
        socket.onopen = () => {
          socket.send(JSON.stringify({ type: 'hello', token: ${JSON.stringify(one.accessToken)} }));
          socket.send(JSON.stringify({ type: 'subscribe', id: 'a', collection: ${JSON.stringify(collection)} }));
        };
      })()`;
      await page.evaluate(script);
      const heard = () => page.evaluate<readonly SocketMessage[]>('globalThis.heard');
      const hears = (type: string) =>
        eventually(
          async () => {
            const found = (await heard()).find((each) => each.type === type);
            assert.ok(found, JSON.stringify(await heard()));
            return found;
          },
          { withinMs: patienceMs },
        );
      await hears('place');
      const made = await createRecord(collection, one.accessToken, { title: 'seen in a browser' });
      const told = await hears('created');
      assert.match(JSON.stringify(told.data), new RegExp(made.id));
      await context.close();
    });
  });
});
