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
import { expectProblem, expectStatus } from '../harness/expectations.ts';
import { openFeed } from '../harness/feed.ts';
import { admin, type Person, signUp } from '../harness/people.ts';
import { assertNoEvents } from './changes-nothing.ts';

const mergePatch = 'application/merge-patch+json';

/** An organisation, and a document of it. */
interface Organisation {
  readonly member: Person;
  readonly record: StoredRecord;
  readonly document: StoredRecord;
}

describe('what belongs to another organisation', () => {
  let administrator: string;
  let organisations: string;
  let documents: string;
  let theirs: Organisation;
  let ours: Organisation;
  /** Of their organisation, too. */
  let colleague: Person;
  let there: readonly StoredRecord[];
  const refused: Answer[] = [];

  const tried = async (method: string, path: string, options: object = {}): Promise<Answer> => {
    const answer = await call(method, path, { token: ours.member.accessToken, ...options });
    refused.push(answer);
    return answer;
  };
  const isNotFound = async (method: string, path: string, options: object = {}): Promise<void> => {
    await expectProblem(await tried(method, path, options), 404, 'not-found');
  };

  before(async () => {
    const people = await Promise.all([signUp(), signUp(), signUp(), admin()]);
    const [their, our] = people;
    [, , colleague, administrator] = people;
    const isMember = [{ members: { $auth: 'sub' } }];
    organisations = await defineCollection(administrator, {
      properties: { title: { type: 'string' }, members: { type: 'array', items: { type: 'string' } } },
      rules: { read: isMember, create: 'signed-in', update: isMember, delete: isMember },
    });
    const follows = [{ organisation: { $follow: { members: { $auth: 'sub' } } } }];
    documents = await defineCollection(administrator, {
      properties: { title: { type: 'string' }, organisation: { type: 'string' } },
      fields: { organisation: { reference: { collection: organisations, onDelete: 'cascade' } } },
      rules: { read: follows, create: follows, update: follows, delete: follows },
    });
    const found = async (member: Person, members: readonly Person[]): Promise<Organisation> => {
      const token = member.accessToken;
      const record = await createRecord(organisations, token, { title: 'o', members: members.map(({ id }) => id) });
      const fields = { title: 'd', organisation: record.id };
      const [document] = [await createRecord(documents, token, fields), await createRecord(documents, token, fields)];
      return { member, record, document };
    };
    theirs = await found(their, [their, colleague]);
    ours = await found(our, [our]);
    there = await exportRecords(documents, administrator);
  });
  after(async () => {
    await assertNoEvents(refused, administrator);
    assert.deepEqual(await exportRecords(documents, administrator), there);
  });

  it('is found by no id, and in no list, count or aggregate', async () => {
    for (const path of [
      `/v1/data/${organisations}/${theirs.record.id}`,
      `/v1/data/${documents}/${theirs.document.id}`,
    ]) {
      await isNotFound('GET', path);
      await isNotFound('GET', path, { query: { expand: path.includes(documents) ? 'organisation' : undefined } });
      await isNotFound('PUT', path, { json: { title: 'mine' } });
      await isNotFound('PATCH', path, { type: mergePatch, json: { title: 'mine' } });
      await isNotFound('DELETE', path);
    }
    const operations = [
      { op: 'update', collection: documents, id: theirs.document.id, merge: { title: 'mine' } },
      { op: 'create', collection: documents, fields: { title: 'b', organisation: ours.record.id } },
    ];
    await isNotFound('POST', '/v1/batch', { json: { operations } });
    const token = ours.member.accessToken;
    const filter = { organisation: theirs.record.id };
    const listed = await listRecords(documents, token, { count: 'true' }, filter);
    assert.deepEqual([listed.items, listed.count], [[], 0]);
    const all = await listRecords(documents, token, { count: 'true' });
    assert.deepEqual([all.items.length, all.count], [2, 2]);
    const pipeline = [{ group: { by: { organisation: 'organisation' }, fields: { n: 'count' } } }];
    const grouped = await call('POST', `/v1/data/${documents}/aggregate`, { token, json: { stages: pipeline } });
    assert.ok(!grouped.text.includes(theirs.record.id), grouped.text);
    expectStatus(grouped, 200);
  });

  it('is named by no reference, and joined by nobody who is not a member', async () => {
    const path = `/v1/data/${documents}/${ours.document.id}`;
    const texts = new Set<string>();
    for (const organisation of [theirs.record.id, `${theirs.record.id.slice(0, -4)}0000`]) {
      const json = { title: 'mine', organisation };
      for (const answer of [
        await tried('POST', `/v1/data/${documents}`, { json }),
        await tried('PUT', path, { json }),
        await tried('PATCH', path, { type: mergePatch, json: { organisation } }),
      ]) {
        await expectProblem(answer, 403, 'forbidden');
        texts.add(JSON.stringify({ ...answer.json(), requestId: '' }).replaceAll(organisation, 'it'));
      }
    }
    assert.equal(texts.size, 1, 'one that is there is told from one that is not');
    const { text } = await tried('PATCH', `/v1/data/${organisations}/${theirs.record.id}`, {
      ...{ type: 'application/vnd.causeway.operators+json', json: { $addToSet: { members: ours.member.id } } },
    });
    assert.match(text, /not-found/);
  });

  it('is led to by no cursor: neither of a list nor of a feed, nor by one of a colleague', async () => {
    const { nextCursor } = await listRecords(documents, theirs.member.accessToken, { limit: '1' });
    const feed = await openFeed(documents, { token: theirs.member.accessToken });
    const lastEventId = feed.lastId() ?? assert.fail('the feed has not begun');
    feed.close();
    assert.ok(nextCursor, 'there is no second page');
    for (const token of [ours.member.accessToken, colleague.accessToken]) {
      await isNotFound('GET', `/v1/data/${documents}`, { token, query: { limit: '1', cursor: nextCursor } });
      await isNotFound('GET', `/v1/data/${documents}/changes`, { token, headers: { 'last-event-id': lastEventId } });
    }
    const own = { token: theirs.member.accessToken, query: { limit: '1', cursor: nextCursor } };
    expectStatus(await call('GET', `/v1/data/${documents}`, own), 200);
    const seen = await listRecords(documents, colleague.accessToken);
    assert.equal(seen.items.length, 2, 'a colleague sees it all the same');
  });
});
