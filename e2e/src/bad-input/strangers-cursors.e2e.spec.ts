import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Answer, call } from '../harness/client.ts';
import {
  createRecord,
  defineCollection,
  exportRecords,
  listRecords,
  type StoredRecord,
} from '../harness/collections.ts';
import { eventually } from '../harness/eventually.ts';
import { expectProblem, expectStatus, type ProblemBody } from '../harness/expectations.ts';
import { openFeed } from '../harness/feed.ts';
import { openFeedSocket } from '../harness/feed-socket.ts';
import { admin, type Person, signIn, signUp } from '../harness/people.ts';
import { assertNoEvents } from './changes-nothing.ts';
import { assertPlace, expectPlace, notValid } from './expect-place.ts';

const mergePatch = 'application/merge-patch+json';

/** With another character in the middle of its last part; the last one of all may hold bits that say nothing. */
const altered = (cursor: string): string => {
  const at = cursor.length - 8;
  return `${cursor.slice(0, at)}${cursor[at] === 'A' ? 'B' : 'A'}${cursor.slice(at + 1)}`;
};

describe('a cursor', () => {
  let owner: Person;
  let stranger: Person;
  let administrator: string;
  let collection: string;
  let path: string;
  let records: readonly StoredRecord[];
  const refused: Answer[] = [];

  before(async () => {
    [owner, stranger, administrator] = await Promise.all([signUp(), signUp(), admin()]);
    collection = await defineCollection(administrator);
    path = `/v1/data/${collection}`;
    for (const title of ['a', 'b', 'c']) await createRecord(collection, owner.accessToken, { title });
    records = await exportRecords(collection, owner.accessToken);
  });
  after(async () => {
    await assertNoEvents(refused, administrator);
    assert.deepEqual(await exportRecords(collection, owner.accessToken), records);
  });

  type Send = (token: string, cursor: string) => Promise<Answer>;

  /** Of its owner it leads on; a stranger finds nothing by it; altered, it is refused at its place. */
  const isItsOwners = async (cursor: string | null | undefined, place: string, send: Send): Promise<void> => {
    assert.ok(cursor, 'there is no further page');
    expectStatus(await send(owner.accessToken, cursor), 200);
    const byStranger = await send(stranger.accessToken, cursor);
    const byOwner = await send(owner.accessToken, altered(cursor));
    refused.push(byStranger, byOwner);
    await expectProblem(byStranger, 404, 'not-found');
    await expectPlace(byOwner, notValid, place);
  };
  const nextOf = (answer: Answer): string | null =>
    expectStatus(answer, 200).json<{ nextCursor: string | null }>().nextCursor;

  it('of a list is its owner’s alone, however the query is asked', async () => {
    const { nextCursor } = await listRecords(collection, owner.accessToken, { limit: '1' });
    await isItsOwners(nextCursor, 'cursor', (token, cursor) =>
      call('GET', path, { token, query: { limit: '1', cursor } }),
    );
    await isItsOwners(nextCursor, '/cursor', (token, cursor) =>
      call('POST', `${path}/query`, { token, json: { limit: 1, cursor } }),
    );
    const other = await defineCollection(administrator);
    const elsewhere = { token: owner.accessToken, query: { limit: '1', cursor: nextCursor ?? '' } };
    await expectPlace(await call('GET', `/v1/data/${other}`, elsewhere), notValid, 'cursor');
  });

  it('of changes and deletes by filter is its owner’s alone, tried dry or done', async () => {
    const query = { filter: '{}', limit: '1', partial: 'true' };
    const patch = { type: mergePatch, json: { title: 'mine' } };
    for (const [method, body] of [
      ['PATCH', patch],
      ['DELETE', {}],
    ] as const) {
      const dry = { ...query, dryRun: 'true' };
      const nextCursor = nextOf(await call(method, path, { token: owner.accessToken, query: dry, ...body }));
      await isItsOwners(nextCursor, 'cursor', (token, cursor) =>
        call(method, path, { token, query: { ...dry, cursor }, ...body }),
      );
      const done = { token: stranger.accessToken, query: { ...query, cursor: nextCursor ?? '' }, ...body };
      const answer = await call(method, path, done);
      refused.push(answer);
      await expectProblem(answer, 404, 'not-found');
    }
  });

  it('of a feed is its owner’s alone, over an event stream and over a socket', async () => {
    const place = await defineCollection(administrator);
    const feed = await openFeed(place, { token: owner.accessToken });
    await createRecord(place, owner.accessToken, { title: 'a' });
    await feed.count(1);
    const cursor = feed.lastId() ?? '';
    feed.close();
    const overSocket = async (token: string, resume: string): Promise<ProblemBody | undefined> => {
      const socket = await openFeedSocket(token);
      socket.send({ type: 'subscribe', id: 'it', collection: place, resume });
      await eventually(() => assert.ok(socket.messages.length > 1 || socket.closed() !== undefined, 'no answer'));
      socket.close();
      return socket.messages[1]?.problem as ProblemBody | undefined;
    };
    const overStream = (token: string, lastEventId: string, snapshot?: string): Promise<Answer> =>
      call('GET', `/v1/data/${place}/changes`, {
        token,
        query: { snapshot },
        headers: { 'last-event-id': lastEventId },
      });
    for (const snapshot of [undefined, 'true']) {
      await expectProblem(await overStream(stranger.accessToken, cursor, snapshot), 404, 'not-found');
    }
    assert.equal((await overSocket(stranger.accessToken, cursor))?.code, 'not-found');
    const [whose = '', where = ''] = cursor.split('.');
    for (const bad of [`${altered(whose)}.${where}`, `${whose}.${altered(where)}`, whose, `${cursor}.${where}`]) {
      await expectPlace(await overStream(owner.accessToken, bad), notValid, 'Last-Event-ID');
      const problem = await overSocket(owner.accessToken, bad);
      assert.equal(problem?.code, 'invalid-request');
      assertPlace(problem, '/resume');
    }
    const resumed = await openFeed(place, { token: owner.accessToken, lastEventId: cursor });
    resumed.close();
  });

  it('of a list of events is its owner’s alone', async () => {
    const query = { type: 'data.record.created', limit: '1' };
    const nextCursor = await eventually(async () => {
      const found = nextOf(await call('GET', '/v1/events', { token: owner.accessToken, query }));
      assert.ok(found, 'no second event yet');
      return found;
    });
    await isItsOwners(nextCursor, 'cursor', (token, cursor) =>
      call('GET', '/v1/events', { token, query: { ...query, cursor } }),
    );
  });

  it('of an account’s activity is its owner’s alone', async () => {
    await signIn(owner.email, owner.password);
    const nextCursor = await eventually(async () => {
      const found = nextOf(await call('GET', '/v1/auth/activity', { token: owner.accessToken, query: { limit: '1' } }));
      assert.ok(found, 'no second entry yet');
      return found;
    });
    await isItsOwners(nextCursor, 'cursor', (token, cursor) =>
      call('GET', '/v1/auth/activity', { token, query: { limit: '1', cursor } }),
    );
  });
});
