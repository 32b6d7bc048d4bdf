import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';

import { openTestData } from '../../testing/test-data.ts';
import type { Person, TestData, TestReplica } from '../../testing/test-data.ts';
import { feedDefinition as definition } from '../../testing/test-feed.ts';
import { openSocket, SocketRefused } from '../../testing/test-socket.ts';
import type { SocketMessage, TestSocket } from '../../testing/test-socket.ts';

describe('a socket with feeds', () => {
  let data: TestData;
  let replica: TestReplica;
  let admin: Person;
  let ada: Person;
  let eve: Person;
  let name: string;
  const sockets: TestSocket[] = [];

  before(async () => {
    data = await openTestData();
    replica = await data.replica();
    [admin, ada, eve] = await Promise.all([data.person({ roles: ['admin'] }), data.person(), data.person()]);
    name = await define();
  });
  after(async () => {
    for (const { socket } of sockets) socket.terminate();
    await data.stop();
  });

  const define = async (): Promise<string> => {
    const made = `c${randomUUID().slice(0, 8)}`;
    const answer = await replica.call(`PUT /v1/collections/${made}`, { body: definition, token: admin.token });
    assert.equal(answer.status, 201, answer.text);
    return made;
  };
  const create = async (fields: object, collection = name): Promise<string> => {
    const answer = await replica.call(`POST /v1/data/${collection}`, { body: fields, token: admin.token });
    assert.equal(answer.status, 201, answer.text);
    return String(answer.body.id);
  };
  const open = async (options: Parameters<typeof openSocket>[1] = {}, at = replica): Promise<TestSocket> => {
    const client = await openSocket(at.service.port, options);
    sockets.push(client);
    return client;
  };
  const subscribe = (client: TestSocket, id: string, more: object = {}): Promise<SocketMessage> => {
    client.send({ type: 'subscribe', id, collection: name, ...more });
    return client.next(`the place of ${id}`, (each) => each.id === id && each.type !== 'subscribed');
  };
  const recordOf = ({ data: told }: SocketMessage): Record<string, unknown> => told?.record as Record<string, unknown>;
  const codeOf = ({ problem }: SocketMessage): string => `${problem?.status ?? ''} ${problem?.code ?? ''}`;

  it('has many feeds, each with its filter and its cursors, over one connection', async () => {
    const client = await open({ token: ada.token });
    assert.equal(client.messages[0]?.sub, ada.id);
    const ids = Array.from({ length: 100 }, (_, n) => `s${n}`);
    await Promise.all(ids.map((id, n) => subscribe(client, id, { filter: { n } })));
    client.send({ type: 'subscribe', id: 'one more', collection: name });
    const refused = await client.next('a refusal', ({ id }) => id === 'one more');
    assert.equal(codeOf(refused), '429 too-many-subscriptions');
    const made = await create({ status: 'published', n: 42 });
    const told = await client.next('the record', ({ type }) => type === 'created');
    assert.deepEqual([told.id, recordOf(told).id], ['s42', made]);
    client.send({ type: 'unsubscribe', id: 's42' });
    const ended = await client.next('its end', ({ id, type }) => id === 's42' && type === 'end');
    assert.deepEqual(ended.data, { reason: 'unsubscribed' });
    // Its id is free, and it goes on where it was cut off.
    const missed = await create({ status: 'published', n: 42 });
    client.send({ type: 'subscribe', id: 's42', collection: name, filter: { n: 42 }, resume: told.cursor });
    const resumed = await client.next('what it missed', (each) => each.type === 'created' && each !== told);
    assert.deepEqual([resumed.id, recordOf(resumed).id], ['s42', missed]);
    const all = client.messages.filter(({ type }) => type === 'created');
    assert.equal(all.length, 2);
  });

  it('resumes what an event stream has begun, and the other way round', async () => {
    const path = `/v1/data/${name}/changes`;
    const client = await open({ token: ada.token });
    const place = await subscribe(client, 'a');
    const made = await create({ status: 'published' });
    const headers = { authorization: `Bearer ${ada.token}`, 'last-event-id': place.cursor ?? '' };
    const stream = await replica.service.fetch(path, { headers });
    assert.equal(stream.status, 200);
    const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    while (!text.includes('event: created')) text += (await reader?.read())?.value ?? assert.fail('it has ended');
    assert.ok(text.includes(made));
    await reader?.cancel();
  });

  describe('knows who calls', () => {
    it('by the header of the handshake, or by the greeting, and never by a cookie', async () => {
      const own = await create({ status: 'draft', author: ada.id });
      const seen = async (client: TestSocket): Promise<string[]> => {
        client.send({ type: 'subscribe', id: 'a', collection: name, filter: { author: ada.id }, snapshot: true });
        await client.next('ready', ({ type }) => type === 'ready');
        return client.messages.filter(({ type }) => type === 'current').map((each) => String(recordOf(each).id));
      };
      const byHeader = await open({ headers: { authorization: `Bearer ${ada.token}` } });
      assert.deepEqual(await seen(byHeader), [own]);
      assert.deepEqual(await seen(await open({ token: ada.token })), [own]);
      const cookie = `__Host-causeway-access=${ada.token}; causeway-access=${ada.token}`;
      const byCookie = await open({ headers: { cookie } });
      assert.deepEqual(await seen(byCookie), []);
      assert.equal(byCookie.messages[0]?.sub, undefined);
    });

    it('and closes over a token that is none', async () => {
      const client = await open({ token: 'nonsense' });
      assert.equal(codeOf(client.messages[0] ?? { type: '' }), '401 unauthenticated');
      assert.equal(await client.closed(), '4401 token-invalid');
      await assert.rejects(open({ headers: { authorization: 'Bearer nonsense' } }), { status: 401 });
    });

    it('by a newer token of the same session, which takes the place of one that expires', async () => {
      const soon = Math.floor(Date.now() / 1_000) + 8;
      const old = await data.person({ exp: soon });
      const client = await open({ token: old.token });
      await subscribe(client, 'a');
      client.send({ type: 'hello', token: await data.token({ sub: old.id, sid: old.sid }) });
      await client.next('a second welcome', (each) => each.type === 'welcome' && each !== client.messages[0]);
      while (Date.now() < (soon + 2) * 1_000) await new Promise((resolve) => setTimeout(resolve, 50));
      await create({ status: 'published' });
      await client.next('a change', ({ type }) => type === 'created');
      data.endSession(old.sid);
      assert.equal(await client.closed(), '4401 session-ended');
      const last = client.messages.at(-1);
      assert.deepEqual([last?.type, last?.id, last?.data], ['end', 'a', { reason: 'session-ended' }]);
    });

    it('and closes over a token of another caller, whose feeds these are not', async () => {
      const client = await open({ token: ada.token });
      await subscribe(client, 'a');
      client.send({ type: 'hello', token: eve.token });
      assert.equal(await client.closed(), '4401 caller-changed');
    });

    it('ends with the token within a second, also where nothing is subscribed', async () => {
      const [ended, unsure] = [await data.person(), await data.person()];
      const clients = [
        await open({ token: ended.token }),
        await open({ headers: { authorization: `Bearer ${ended.token}` }, greets: false }),
      ];
      const begun = performance.now();
      data.endSession(ended.sid);
      for (const client of clients) assert.equal(await client.closed(), '4401 session-ended');
      assert.ok(performance.now() - begun < 4_000, 'it took four times what is promised');
      const other = await open({ token: unsure.token });
      data.loseSession(unsure.sid);
      assert.equal(await other.closed(), '1013 unsure');
      const expires = await data.person({ exp: Math.floor(Date.now() / 1_000) + 8 });
      assert.equal(await (await open({ token: expires.token })).closed(), '4401 token-expired');
    });
  });

  describe('answers', () => {
    it('what is wrong with a message, and goes on', async () => {
      const client = await open({ token: ada.token });
      const answer = async (message: object | string): Promise<SocketMessage> => {
        const before = client.messages.length;
        client.send(message);
        await client.next('an answer', (each) => client.messages.indexOf(each) >= before);
        return client.messages[before] ?? assert.fail();
      };
      const deep = `${'{"a":'.repeat(100)}1${'}'.repeat(100)}`;
      const wrong: [object | string, string][] = [
        ['{', '400 invalid-request'],
        ['', '400 invalid-request'],
        ['[]', '400 invalid-request'],
        ['null', '400 invalid-request'],
        ['{"type":"subscribe","id":"a","collection":"x","__proto__":{}}', '400 invalid-request'],
        [`{"type":"subscribe","id":"a","collection":"x","filter":${deep}}`, '400 invalid-request'],
        [{ type: 'publish' }, '400 invalid-request'],
        [{ type: 'subscribe', collection: name }, '400 invalid-request'],
        [{ type: 'subscribe', id: 'a', collection: name, extra: 1 }, '400 invalid-request'],
        [{ type: 'subscribe', id: 'x'.repeat(65), collection: name }, '400 invalid-request'],
        [{ type: 'subscribe', id: 'a', collection: name, filter: { n: { $near: 1 } } }, '400 invalid-request'],
        [{ type: 'subscribe', id: 'a', collection: name, resume: 'nonsense' }, '400 invalid-request'],
        [{ type: 'subscribe', id: 'a', collection: name, after: 'nonsense' }, '400 invalid-request'],
        [{ type: 'subscribe', id: 'a', collection: 'nothing' }, '404 not-found'],
        [{ type: 'unsubscribe', id: 'a' }, '404 not-found'],
      ];
      for (const [message, code] of wrong) {
        const told = await answer(message);
        assert.equal(codeOf(told), code, JSON.stringify(message).slice(0, 200));
        if (code.startsWith('404')) assert.equal(told.id, 'a');
      }
      assert.equal((await answer({ type: 'ping' })).type, 'pong');
      await subscribe(client, 'a');
      assert.equal(codeOf(await answer({ type: 'subscribe', id: 'a', collection: name })), '409 subscription-exists');
      client.socket.ping('x');
      const [pong] = (await once(client.socket, 'pong')) as [Buffer];
      assert.equal(pong.toString(), 'x');
    });

    it('a cursor of another person as if there were nothing', async () => {
      const place = await subscribe(await open({ token: ada.token }), 'a');
      const refused = await subscribe(await open({ token: eve.token }), 'a', { resume: place.cursor });
      assert.equal(codeOf(refused), '404 not-found');
    });

    it('what is no message by closing, with a code that says what it was', async () => {
      const cases: [(client: TestSocket) => void, string][] = [
        [(client) => client.send(Buffer.from([1, 2, 3])), '1003 binary'],
        [(client) => client.send('x'.repeat(65_537)), '1009'],
        [(client) => client.socket.send(Buffer.from([0xff, 0xfe]), { binary: false }), '1007'],
        [
          (client) => {
            for (let n = 0; n < 70; n += 1) client.socket.send('x', { fin: false });
          },
          '1008',
        ],
        [
          (client) => {
            for (let n = 0; n < 400; n += 1) client.send({ type: 'ping' });
          },
          '4429 too-many-messages',
        ],
        [
          (client) => {
            for (let n = 0; n < 400; n += 1) client.socket.ping();
          },
          '4429 too-many-messages',
        ],
        [(client) => client.socket.close(1_000, 'enough'), '1000 enough'],
      ];
      for (const [act, code] of cases) {
        const client = await open({ token: ada.token });
        await subscribe(client, 'a');
        act(client);
        assert.equal(await client.closed(), code);
      }
    });

    it('nothing to who does not greet', async () => {
      const client = await open({ greets: false, headers: { authorization: `Bearer ${ada.token}` } });
      client.send({ type: 'subscribe', id: 'a', collection: name });
      assert.equal(await client.closed(), '4400 hello-first');
      assert.ok(!client.messages.some(({ type }) => type === 'subscribed'));
      assert.equal(await (await open({ greets: false })).closed(), '4408 hello-late');
    });

    it('a call that is none for a socket with a problem', async () => {
      const plain = await replica.call('GET /v1/changes', { token: ada.token });
      assert.deepEqual([plain.status, plain.body.code], [400, 'upgrade-required']);
      await assert.rejects(open({ protocols: ['graphql-ws'] }), new SocketRefused(400));
      const raw = async (head: string): Promise<string> => {
        const socket = connect(replica.service.port, '127.0.0.1');
        socket.write(`GET ${head}\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
        let text = '';
        for await (const chunk of socket) text += String(chunk);
        return text;
      };
      assert.match(
        await raw('/v1/changes HTTP/1.1\r\nSec-WebSocket-Version: 8'),
        /^HTTP\/1\.1 400 .*Sec-WebSocket-Version: 13/s,
      );
      assert.match(await raw('/v1/changes HTTP/1.1\r\nSec-WebSocket-Version: 13'), /^HTTP\/1\.1 400 .*invalid-key/s);
      assert.match(await raw('/v1/nothing HTTP/1.1'), /^HTTP\/1\.1 404 .*"code":"not-found"/s);
      assert.match(await raw(`/v1/data/${name} HTTP/1.1`), /^HTTP\/1\.1 200 /);
    });
  });

  it('leaves nothing behind: neither a feed, nor a place, nor a connection', async () => {
    const small = await data.replica({ FEED_LIMIT: '20' });
    const ends: ((client: TestSocket) => void)[] = [
      (client) => client.socket.terminate(),
      (client) => client.socket.close(),
      (client) => client.send(Buffer.from([1])),
      (client) => (client.socket as unknown as { _socket: { end(): void } })._socket.end(),
    ];
    for (let round = 0; round < 24; round += 1) {
      const person = await data.person();
      const client = await openSocket(small.service.port, { token: person.token });
      const deadline = performance.now() + 60_000;
      // Two for each caller are a tenth of all; what has gone is let go of soon.
      for (const id of ['a', 'b']) {
        for (let attempt = 0; ; attempt += 1) {
          client.send({ type: 'subscribe', id, collection: name, snapshot: true });
          const count = (): number =>
            client.messages.filter((each) => each.id === id && ['ready', 'error'].includes(each.type)).length;
          await client.next('an answer', () => count() > attempt);
          if (client.messages.some((each) => each.id === id && each.type === 'ready')) break;
          assert.ok(performance.now() < deadline, 'there was no room any more');
        }
      }
      client.send({ type: 'subscribe', id: 'c', collection: name });
      assert.equal(codeOf(await client.next('a refusal', ({ id }) => id === 'c')), '429 too-many-subscriptions');
      ends[round % ends.length]?.(client);
      await client.closed();
    }
    const last = await openSocket(small.service.port, { token: ada.token });
    small.service.drain();
    assert.equal(await last.closed(), '1012 shutdown');
    await small.stop();
  });
});
