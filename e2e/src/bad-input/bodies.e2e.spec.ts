import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Answer, call } from '../harness/client.ts';
import { expectProblem, expectStatus } from '../harness/expectations.ts';
import { admin, newEmail, type Person, profileOf, signUp } from '../harness/people.ts';
import { createRecord, defineCollection, listRecords } from '../harness/collections.ts';
import { assertNoEvents } from './changes-nothing.ts';

const password = 'correct horse battery';
const levels = 10_000;
const tenMegabytes = 10 * 1024 * 1024;
const credentialsLimitBytes = 16 * 1024;

/** One body that is no good, made from one that would be. */
interface BadBody {
  readonly what: string;
  /** @param good - the JSON text of a body that would be accepted, an object */
  readonly spoil: (good: string) => string;
  readonly status: number;
  readonly code: string;
}

/** Puts a member at the beginning of an object's text. */
const withMember = (good: string, member: string): string => good.replace('{', `{${member},`);

const badBodies: readonly BadBody[] = [
  { what: 'no JSON', spoil: (good) => good.slice(0, -1), status: 400, code: 'invalid-request' },
  { what: 'nothing at all', spoil: () => '', status: 400, code: 'invalid-request' },
  { what: 'another value than an object', spoil: () => '[1, 2]', status: 400, code: 'invalid-request' },
  {
    what: '10 MB',
    spoil: (good) => withMember(good, `"padding": "${'x'.repeat(tenMegabytes)}"`),
    status: 413,
    code: 'payload-too-large',
  },
  {
    what: '10,000 levels',
    spoil: (good) => withMember(good, `"deep": ${'['.repeat(levels)}${']'.repeat(levels)}`),
    status: 400,
    code: 'invalid-request',
  },
  {
    what: '__proto__',
    spoil: (good) => withMember(good, '"__proto__": {"roles": ["admin"]}'),
    status: 400,
    code: 'invalid-request',
  },
  {
    what: '__proto__ further down',
    spoil: (good) => withMember(good, '"preferences": {"a": {"__proto__": {"isAdmin": true}}}'),
    status: 400,
    code: 'invalid-request',
  },
  {
    what: "the name of a type of the database's driver",
    spoil: (good) => withMember(good, '"preferences": {"a": {"_bsontype": "Code"}}'),
    status: 400,
    code: 'invalid-request',
  },
  {
    what: 'constructor.prototype',
    spoil: (good) => withMember(good, '"constructor": {"prototype": {"isAdmin": true}}'),
    status: 400,
    code: 'invalid-request',
  },
  {
    what: 'an unknown field',
    spoil: (good) => withMember(good, '"isAdmin": true'),
    status: 400,
    code: 'invalid-request',
  },
];

describe('a body with', () => {
  let person: Person;
  let administrator: string;
  let collection: string;
  const refused: Answer[] = [];

  before(async () => {
    [person, administrator] = await Promise.all([signUp(), admin()]);
    collection = await defineCollection(administrator);
    await profileOf(person);
  });
  after(() => assertNoEvents(refused, administrator));

  for (const { what, spoil, status, code } of badBodies) {
    describe(what, () => {
      it('signs nobody up', async () => {
        const email = newEmail();
        const body = spoil(JSON.stringify({ email, password }));
        const answer = await call('POST', '/v1/auth/sign-up', { body });
        refused.push(answer);
        // What signing up takes is small: much of anything is too large before it is anything else.
        const isTooLarge = body.length > credentialsLimitBytes;
        await expectProblem(answer, isTooLarge ? 413 : status, isTooLarge ? 'payload-too-large' : code);
        const signIn = await call('POST', '/v1/auth/sign-in', { json: { email, password } });
        await expectProblem(signIn, 401, 'invalid-credentials');
      });

      it('leaves a profile as it is', async () => {
        const token = person.accessToken;
        const body = spoil(JSON.stringify({ bio: 'spoilt' }));
        const answer = await call('PATCH', '/v1/users/me', { token, body, type: 'application/merge-patch+json' });
        refused.push(answer);
        await expectProblem(answer, status, code);
        const profile = expectStatus(await call('GET', '/v1/users/me', { token }), 200).json();
        assert.equal(profile.revision, 1);
      });

      it('makes no record', async () => {
        const token = person.accessToken;
        const answer = await call('POST', `/v1/data/${collection}`, { token, body: spoil('{"title": "spoilt"}') });
        refused.push(answer);
        await expectProblem(answer, status, code);
        assert.deepEqual((await listRecords(collection, token)).items, []);
      });

      it('defines no collection', async () => {
        const name = `${collection}-spoilt`;
        const body = spoil('{"schema": {"type": "object", "properties": {}}}');
        const answer = await call('PUT', `/v1/collections/${name}`, { token: administrator, body });
        refused.push(answer);
        await expectProblem(answer, status, code);
        await expectProblem(await call('GET', `/v1/collections/${name}`, { token: administrator }), 404, 'not-found');
      });
    });
  }

  it('an operator object where a string belongs is refused, and says where', async () => {
    const attempts = [
      ['/v1/auth/sign-in', { email: { $gt: '' }, password: { $gt: '' } }, '/email'],
      ['/v1/auth/sign-up', { email: { $gt: '' }, password }, '/email'],
      ['/v1/auth/sign-up', { email: newEmail(), password: { $ne: null } }, '/password'],
      ['/v1/auth/refresh', { refreshToken: { $ne: null } }, '/refreshToken'],
    ] as const;
    for (const [path, json, pointer] of attempts) {
      const answer = await call('POST', path, { json });
      refused.push(answer);
      const problem = await expectProblem(answer, 400, 'invalid-request');
      assert.ok(
        problem.errors?.some((each) => each.pointer === pointer),
        answer.text,
      );
    }
    const { id } = await createRecord(collection, person.accessToken, { title: 'as it was' });
    const target = `/v1/data/${collection}/${id}`;
    for (const [method, type] of [
      ['PUT', 'application/json'],
      ['PATCH', 'application/merge-patch+json'],
    ] as const) {
      const answer = await call(method, target, { token: person.accessToken, json: { title: { $gt: '' } }, type });
      refused.push(answer);
      await expectProblem(answer, 400, 'invalid-request');
    }
    const { title, revision } = expectStatus(await call('GET', target, { token: person.accessToken }), 200).json();
    assert.deepEqual([title, revision], ['as it was', 1]);
  });

  it('another media type than the call takes is refused, and says which it takes', async () => {
    const token = person.accessToken;
    const sent = { token, body: '<a/>', type: 'application/xml' };
    const patch = await call('PATCH', '/v1/users/me', sent);
    await expectProblem(patch, 415, 'unsupported-media-type');
    assert.match(patch.headers['accept-patch'] ?? '', /application\/merge-patch\+json/);
    await expectProblem(await call('POST', '/v1/auth/sign-up', sent), 415, 'unsupported-media-type');
    await expectProblem(await call('POST', `/v1/data/${collection}`, sent), 415, 'unsupported-media-type');
    refused.push(patch);
  });

  it('a parameter that the call does not have is refused', async () => {
    const token = person.accessToken;
    for (const path of ['/v1/users/me', '/v1/auth/sessions', `/v1/data/${collection}`, '/v1/events']) {
      await expectProblem(await call('GET', path, { token, query: { admin: 'true' } }), 400, 'invalid-request');
    }
  });
});
