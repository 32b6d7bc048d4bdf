import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { MongoClient } from 'mongodb';
import { type Answer, call } from '../harness/client.ts';
import { createRecord, defineCollection, type StoredRecord } from '../harness/collections.ts';
import { eventually } from '../harness/eventually.ts';
import { expectProblem, expectStatus } from '../harness/expectations.ts';
import { openFeed } from '../harness/feed.ts';
import { accountEvent, publishAsAuth } from '../harness/foreign-events.ts';
import { admin, newEmail, type Person, profileOf, signUp } from '../harness/people.ts';
import { addressOf } from '../harness/platform.ts';

interface CloudEvent {
  readonly id: string;
  readonly type: string;
  readonly dataschema: string;
  readonly authid?: string;
  readonly data: Readonly<Record<string, unknown>>;
}

const databases = ['causeway-auth', 'causeway-user', 'causeway-data'];

describe('erasing oneself', () => {
  let mongo: MongoClient;
  let administrator: string;

  before(async () => {
    mongo = await MongoClient.connect(addressOf('mongodb'));
    administrator = await admin();
  });
  after(() => mongo.close());

  const asAdmin = (path: string, query: Readonly<Record<string, string>> = {}): Promise<Answer> =>
    call('GET', path, { token: administrator, query });
  const read = async (collection: string, id: string): Promise<StoredRecord> =>
    expectStatus(await asAdmin(`/v1/data/${collection}/${id}`), 200).json();
  const erase = (token: string, json: unknown): Promise<Answer> => call('DELETE', '/v1/auth/account', { token, json });
  /** What any database of a service says of somebody. */
  const rowsWith = async (texts: readonly string[]): Promise<string[]> => {
    const found: string[] = [];
    for (const database of databases) {
      for (const { name } of await mongo.db(database).listCollections().toArray()) {
        for await (const row of mongo.db(database).collection(name).find()) {
          const text = JSON.stringify(row);
          if (texts.some((each) => text.includes(each))) found.push(`${database} ${name} ${text.slice(0, 500)}`);
        }
      }
    }
    return found;
  };
  const completed = (request: string): Promise<CloudEvent> =>
    eventually(
      async () => {
        const events: CloudEvent[] = [];
        for (let cursor: string | null | undefined; cursor !== null;) {
          const query = { correlationId: request, limit: '200', ...(cursor === undefined ? {} : { cursor }) };
          const page = expectStatus(await asAdmin('/v1/events', query), 200).json<{
            items: CloudEvent[];
            nextCursor: string | null;
          }>();
          events.push(...page.items);
          cursor = page.nextCursor;
        }
        const types = events.map(({ type }) => type);
        return events.find(({ type }) => type === 'auth.erasure.completed') ?? assert.fail(types.join(', '));
      },
      { withinMs: 60_000, everyMs: 300 },
    );

  it('asks for the password and for nothing else', async () => {
    const { accessToken: token } = await signUp();
    await expectProblem(await erase(token, { password: 'not the password' }), 401, 'invalid-credentials');
    for (const json of [{}, { password: 1 }, { password: 'p', now: true }, [], null]) {
      await expectProblem(await erase(token, json), 400, 'invalid-request');
    }
    expectStatus(await call('GET', '/v1/auth/account', { token }), 200);
  });

  describe('leaves', () => {
    const name = `Ada ${randomUUID()}`;
    const secret = `secret ${randomUUID()}`;
    let person: Person;
    let bob: Person;
    let kept: string;
    let going: string;
    let keptId: string;
    let bobsId: string;
    let goingId: string;
    let created: string;
    let answer: Answer;

    before(async () => {
      [person, bob] = await Promise.all([signUp({ name }), signUp()]);
      const token = person.accessToken;
      await profileOf(person);
      const type = 'application/merge-patch+json';
      const patch = { bio: `${secret} of a countess` };
      expectStatus(await call('PATCH', '/v1/users/me', { token, type, json: patch }), 200);
      kept = await defineCollection(administrator);
      going = await defineCollection(administrator, { onErase: 'delete' });
      ({ id: keptId } = await createRecord(kept, token, { title: 'stays' }));
      ({ id: bobsId } = await createRecord(kept, bob.accessToken, { title: 'of bob' }));
      expectStatus(await call('PATCH', `/v1/data/${kept}/${bobsId}`, { token, type, json: { title: 'changed' } }), 200);
      ({ id: goingId } = await createRecord(going, token, { title: secret }));
      const events = await Promise.all(person.events.map((id) => call('GET', `/v1/events/${id}`, { token })));
      created =
        events.map((each) => each.json<CloudEvent>()).find(({ type }) => type === 'auth.account.created')?.id ?? '';
      const feed = await openFeed(going, { token: bob.accessToken });
      answer = expectStatus(await erase(token, { password: person.password }), 202);
      const [change] = await feed.count(1);
      assert.deepEqual([change?.event, change?.data.id], ['deleted', goingId], 'the feed tells of it');
      feed.close();
      const { location = '' } = answer.headers;
      assert.match(location, /^\/v1\/events\/[0-9a-f-]{36}\/effects$/);
      const effects = expectStatus(await asAdmin(location, { wait: '30s' }), 200).json<{ complete: boolean }>();
      assert.equal(effects.complete, true, JSON.stringify(effects));
    });

    it('nobody signed in, and an address that nobody has', async () => {
      await eventually(async () => {
        const token = person.accessToken;
        await expectProblem(await call('GET', '/v1/users/me', { token }), 401, 'unauthenticated');
      });
      await expectProblem(await erase(person.accessToken, { password: person.password }), 401, 'unauthenticated');
      const { email, password } = person;
      const tries = [
        { email, password },
        { email: newEmail(), password },
      ];
      const answers = await Promise.all(tries.map((json) => call('POST', '/v1/auth/sign-in', { json })));
      for (const each of answers) await expectProblem(each, 401, 'invalid-credentials');
      const [known, unknown] = answers.map((each) => ({ ...each.json(), requestId: '' }));
      assert.deepEqual(known, unknown);
    });

    it('no profile, and records as their collections say', async () => {
      await expectProblem(await asAdmin(`/v1/users/${person.id}`), 404, 'not-found');
      await expectProblem(await asAdmin(`/v1/data/${going}/${goingId}`), 404, 'not-found');
      const own = await read(kept, keptId);
      assert.deepEqual([own.title, own.createdBy, own.updatedBy, own.revision], ['stays', undefined, undefined, 2]);
      const bobs = await read(kept, bobsId);
      assert.deepEqual([bobs.title, bobs.createdBy, bobs.updatedBy], ['changed', bob.id, undefined]);
    });

    it('nobody whom a late event brings back', async () => {
      const { id, email } = person;
      // After its creation and its end, so that whoever follows the topic from outside finds no gap and no step back.
      const late = accountEvent(id, 3, { accountId: id, email, emailVerified: false, roles: ['member'] });
      await publishAsAuth([late]);
      await eventually(async () => {
        const handled = mongo.db('causeway-user').collection('handled');
        const row = await handled.findOne({ '_id.handler': 'create-profile', '_id.event': late.id } as never);
        assert.equal(row?.status, 'done');
      });
      await expectProblem(await asAdmin(`/v1/users/${id}`), 404, 'not-found');
    });

    it('a certificate, and no database that holds the address, the name or what was to go', async () => {
      const certificate = await completed(answer.headers['x-request-id'] ?? '');
      const { accountId, services, kafkaUntil } = certificate.data as {
        accountId: string;
        services: Record<string, { counts: Record<string, number> }>;
        kafkaUntil: string;
      };
      assert.equal(accountId, person.id);
      assert.deepEqual(Object.keys(services).sort(), ['auth', 'data', 'user']);
      assert.deepEqual([services.user?.counts.profiles, services.data?.counts.recordsDeleted], [1, 1]);
      assert.ok(Date.parse(kafkaUntil) > Date.now() + 7 * 24 * 3_600_000);
      assert.deepEqual(await rowsWith([person.email, name, secret]), []);
      const event = expectStatus(await asAdmin(`/v1/events/${created}`), 200).json<CloudEvent>();
      assert.deepEqual(
        [event.type, event.dataschema, event.authid, Object.keys(event.data)],
        ['auth.account.created', 'urn:causeway:redacted', undefined, ['redactedAt']],
      );
    });

    it('a tree of effects that is whole: what each service has removed is in it', async () => {
      interface Effects {
        readonly event: CloudEvent;
        readonly caused: readonly Effects[];
        readonly complete: boolean;
        readonly cut?: true;
      }
      await completed(answer.headers['x-request-id'] ?? '');
      const { eventId } = answer.json<{ eventId: string }>();
      const effects = expectStatus(
        await asAdmin(`/v1/events/${eventId}/effects`, { wait: '30s' }),
        200,
      ).json<Effects>();
      assert.deepEqual([effects.complete, effects.cut], [true, undefined]);
      const typesOf = ({ event, caused }: Effects): string[] => [event.type, ...caused.flatMap(typesOf)];
      const types = new Set(typesOf(effects));
      const removed = ['auth.session.deleted', 'user.profile.deleted', 'data.record.deleted', 'data.record.updated'];
      for (const type of [...removed, 'auth.erasure.completed']) assert.ok(types.has(type), `${type} is not in it`);
    });

    it('an address that may sign up anew, as somebody else', async () => {
      const anew = await signUp({ email: person.email, password: person.password });
      assert.notEqual(anew.id, person.id);
      const profile = await call('GET', '/v1/users/me', { token: anew.accessToken });
      assert.equal(expectStatus(profile, 200).json().id, anew.id);
    });
  });
});
