import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
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
import { expectProblem, expectStatus } from '../harness/expectations.ts';
import { admin, type Person, type SignedIn, signUp } from '../harness/people.ts';
import { totpCode } from '../harness/totp.ts';
import { assertNoEvents } from './changes-nothing.ts';
import { expectPlace } from './expect-place.ts';

const mergePatch = 'application/merge-patch+json';
const own = [{ createdBy: { $auth: 'sub' } }];

/** Enrols an authenticator app for somebody, and signs them in with it. */
async function withSecondFactor({ email, password, accessToken: token }: Person): Promise<string> {
  const enrolled = await call('POST', '/v1/auth/factors/totp', { token, json: {} });
  const { id, secret } = expectStatus(enrolled, 201).json<{ id: string; secret: string }>();
  const confirmed = await call('POST', `/v1/auth/factors/totp/${id}/confirm`, {
    ...{ token, json: { code: totpCode(secret) } },
  });
  const { recoveryCodes } = expectStatus(confirmed, 200).json<{ recoveryCodes: string[] }>();
  const begun = await call('POST', '/v1/auth/sign-in', { json: { email, password } });
  const { mfaToken } = expectStatus(begun, 200).json<{ mfaToken: string }>();
  const json = { mfaToken, recoveryCode: recoveryCodes[0] };
  return expectStatus(await call('POST', '/v1/auth/sign-in/second-factor', { json }), 200).json<SignedIn>().accessToken;
}

describe('the id of what is somebody else’s', () => {
  let owner: Person;
  let stranger: Person;
  let administrator: string;
  let collection: string;
  let record: StoredRecord;
  let events: readonly string[];
  let records: readonly StoredRecord[];
  const refused: Answer[] = [];

  before(async () => {
    [owner, stranger, administrator] = await Promise.all([signUp(), signUp(), admin()]);
    const rules = { read: own, create: 'signed-in', update: own, delete: own } as const;
    collection = await defineCollection(administrator, { rules });
    const options = { token: owner.accessToken, json: { title: 'a' } };
    const created = expectStatus(await call('POST', `/v1/data/${collection}`, options), 201);
    [record, events] = [created.json<StoredRecord>(), created.events];
    records = await exportRecords(collection, owner.accessToken);
  });
  after(async () => {
    await assertNoEvents(refused, administrator);
    assert.deepEqual(await exportRecords(collection, owner.accessToken), records);
  });

  const tried = async (method: string, path: string, options: object = {}): Promise<Answer> => {
    const answer = await call(method, path, { token: stranger.accessToken, ...options });
    refused.push(answer);
    return answer;
  };
  const isNotFound = async (method: string, path: string, options: object = {}): Promise<void> => {
    await expectProblem(await tried(method, path, options), 404, 'not-found');
  };

  it('finds no record, whatever is done with it', async () => {
    const path = `/v1/data/${collection}/${record.id}`;
    await isNotFound('GET', path);
    await isNotFound('GET', path, { headers: { 'if-none-match': `"${record.revision}"` } });
    await isNotFound('PUT', path, { json: { title: 'mine' } });
    await isNotFound('PATCH', path, { type: mergePatch, json: { title: 'mine' } });
    await isNotFound('PATCH', path, { type: 'application/json-patch+json', json: [{ op: 'remove', path: '/title' }] });
    await isNotFound('DELETE', path);
    await isNotFound('DELETE', path, { headers: { 'if-match': `"${record.revision}"` } });
    for (const operation of [
      { op: 'update', collection, id: record.id, merge: { title: 'mine' } },
      { op: 'delete', collection, id: record.id },
      { op: 'check', collection, id: record.id, ifMatch: 1 },
    ]) {
      // A check alone writes nothing, and is refused for that.
      const operations = [operation, { op: 'create', collection, fields: { title: 'b' } }];
      await isNotFound('POST', '/v1/batch', { json: { operations } });
    }
    const filter = JSON.stringify({ id: record.id });
    assert.deepEqual((await listRecords(collection, stranger.accessToken, {}, { id: record.id })).items, []);
    const options = { query: { filter }, type: mergePatch, json: { title: 'mine' } };
    const changed = expectStatus(await tried('PATCH', `/v1/data/${collection}`, options), 200);
    assert.equal(changed.json().matched, 0);
    const deleted = expectStatus(await tried('DELETE', `/v1/data/${collection}`, { query: { filter } }), 200);
    assert.equal(deleted.json().matched, 0);
  });

  it('is refused in a reference as one that is not there', async () => {
    const open = await defineCollection(administrator, {
      properties: { title: { type: 'string' }, to: { type: 'string' } },
      fields: { to: { reference: { collection } } },
    });
    const mine = await createRecord(open, stranger.accessToken, { title: 'mine' });
    const texts = new Set<string>();
    for (const to of [record.id, `${record.id.slice(0, -4)}0000`]) {
      const fields = { title: 'a', to };
      const operations = [{ op: 'create', collection: open, fields }];
      const attempts: readonly (readonly [Answer, string])[] = [
        [await tried('POST', `/v1/data/${open}`, { json: fields }), '/to'],
        [await tried('PUT', `/v1/data/${open}/${mine.id}`, { json: fields }), '/to'],
        [await tried('PATCH', `/v1/data/${open}/${mine.id}`, { type: mergePatch, json: { to } }), '/to'],
        [await tried('POST', '/v1/batch', { json: { operations } }), '/operations/0/fields/to'],
      ];
      for (const [answer, pointer] of attempts) await expectPlace(answer, [422, 'reference-not-found'], pointer);
      const told = attempts.map(([answer]) => ({ ...answer.json(), requestId: '' }));
      texts.add(JSON.stringify(told).replaceAll(to, 'it'));
    }
    assert.equal(texts.size, 1, 'the two are told apart');
    const { items } = await listRecords(open, stranger.accessToken);
    assert.deepEqual(items, [mine]);
  });

  it('finds no session and no factor', async () => {
    const token = owner.accessToken;
    const listed = async () =>
      expectStatus(await call('GET', '/v1/auth/sessions', { token }), 200).json<{ items: { id: string }[] }>().items;
    const [session] = await listed();
    assert.ok(session);
    await isNotFound('DELETE', `/v1/auth/sessions/${session.id}`);
    assert.deepEqual(
      (await listed()).map(({ id }) => id),
      [session.id],
    );
    const enrolled = await call('POST', '/v1/auth/factors/totp', { token, json: {} });
    const { id } = expectStatus(enrolled, 201).json<{ id: string }>();
    await isNotFound('POST', `/v1/auth/factors/totp/${id}/confirm`, { json: { code: '123456' } });
    await isNotFound('PATCH', `/v1/auth/factors/${id}`, { json: { name: 'mine' } });
    // Whoever takes a factor away has to have shown one before: of their own.
    const shown = await withSecondFactor(stranger);
    await isNotFound('DELETE', `/v1/auth/factors/${id}`, { token: shown });
  });

  it('finds no event, neither alone nor in a list', async () => {
    const [event = ''] = events;
    const token = owner.accessToken;
    await eventually(async () => expectStatus(await call('GET', `/v1/events/${event}`, { token }), 200));
    await isNotFound('GET', `/v1/events/${event}`);
    await isNotFound('GET', `/v1/events/${event}/effects`);
    const listed = await call('GET', '/v1/events', {
      token: stranger.accessToken,
      query: { subject: `record/${record.id}` },
    });
    assert.deepEqual(expectStatus(listed, 200).json().items, []);
  });

  it('opens nothing that is an administrator’s', async () => {
    for (const [method, path] of [
      ['GET', `/v1/auth/accounts/${owner.id}`],
      ['GET', `/v1/auth/accounts/${owner.id}/sessions`],
      ['DELETE', `/v1/auth/accounts/${owner.id}/sessions`],
      ['DELETE', `/v1/auth/accounts/${owner.id}/factors`],
      ['GET', `/v1/auth/audit?account=${owner.id}`],
    ] as const) {
      await expectProblem(await tried(method, path), 403, 'forbidden');
    }
  });

  it('replays nothing: an Idempotency-Key is a caller’s own, also of a batch and an import', async () => {
    const place = await defineCollection(administrator);
    const lines = { type: 'application/x-ndjson', body: '{"title": "three"}' };
    const operations = [{ op: 'create', collection: place, fields: { title: 'two' } }];
    const calls = [
      [`/v1/data/${place}`, { json: { title: 'one' } }],
      ['/v1/batch', { json: { operations } }],
      [`/v1/data/${place}`, lines],
    ] as const;
    const keys = calls.map(() => randomUUID());
    const makes = (token: string): Promise<readonly Answer[]> =>
      Promise.all(
        calls.map(([path, sent], at) =>
          call('POST', path, { token, headers: { 'idempotency-key': keys[at] ?? '' }, ...sent }),
        ),
      );
    for (const { accessToken } of [owner, stranger]) {
      for (const answer of await makes(accessToken)) {
        assert.ok([200, 201].includes(answer.status), answer.text);
        assert.equal(answer.headers['idempotency-replayed'], undefined);
      }
    }
    assert.equal((await listRecords(place, owner.accessToken)).items.length, 6);
  });
});
