import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { isRedacted, newId } from '@causeway/contracts';
import type { EventEnvelope } from '@causeway/contracts';
import type { PublishedEvents } from '@causeway/events/testing';

import { openCountedGuesses } from '../testing/counted-guesses.ts';
import { openTestAuth, password, personOf, randomEmail, signIn, signUp } from '../testing/test-auth.ts';
import type { Answered, Person, TestAuth, TestReplica } from '../testing/test-auth.ts';
import { enrolTotp } from '../testing/test-totp.ts';

describe('erasing oneself', () => {
  let world: TestAuth;
  let replica: TestReplica;
  let published: PublishedEvents;

  before(async () => {
    world = await openTestAuth();
    replica = await world.replica({ ERASURE_SETTLE_TIME: '1s', ERASURE_ANSWER_TIME: '3s' });
    published = await world.published();
  });
  after(() => world.stop());

  const erase = (token: string, body: unknown = { password }): Promise<Answered> =>
    replica.call('DELETE /v1/auth/account', { token, body });
  const erased = async ({ accessToken }: Person): Promise<Answered> => {
    const answer = await erase(accessToken);
    assert.equal(answer.status, 202, JSON.stringify(answer.body));
    return answer;
  };
  const accounts = () => world.db.collection<{ _id: string; roles: string[] }>('accounts');
  const sessions = () => world.db.collection<{ _id: string; accountId: string; status: string }>('sessions');
  const code = ({ status, body }: Answered): string => `${status} ${String(body.code)}`;
  const signInAgain = (email: string): Promise<Answered> =>
    replica.call('POST /v1/auth/sign-in', { body: { email, password } });
  const told = async (type: string, accountId: string): Promise<EventEnvelope> => {
    const [event] = await published.waitFor(
      (each) => each.type === type && (each.data as { accountId?: string }).accountId === accountId,
    );
    return event ?? assert.fail();
  };
  it('takes the account, every session and every token at once', async () => {
    const person = await signUp(replica);
    const other = await signIn(replica, person.email);
    const answer = await erased(person);
    const { accountId, status, eventId } = answer.body as Record<string, unknown>;
    assert.deepEqual([accountId, status], [person.id, 'erasing']);
    assert.equal(answer.headers.get('location'), `/v1/events/${String(eventId)}/effects`);
    assert.equal(answer.headers.get('causeway-event')?.split(', ').length, 3, 'the account and two sessions');
    const gone = await told('auth.account.deleted', person.id);
    assert.deepEqual([gone.id, gone.data, gone.authid], [eventId, { accountId: person.id }, person.id]);
    assert.equal(await accounts().findOne({ _id: person.id }), null);
    for (const { accessToken, refreshToken } of [person, other]) {
      assert.equal(code(await replica.call('GET /v1/auth/account', { token: accessToken })), '401 unauthenticated');
      assert.equal(code(await erase(accessToken)), '401 unauthenticated');
      const refresh = await replica.call('POST /v1/auth/refresh', { body: { refreshToken } });
      assert.equal(code(refresh), '401 invalid-refresh-token');
    }
    const ended = await published.waitFor(
      (each) => each.type === 'auth.session.ended' && (each.data as { accountId: string }).accountId === person.id,
      2,
    );
    assert.deepEqual(
      ended.map(({ data }) => (data as { reason: string }).reason),
      ['revoked', 'revoked'],
    );
    const request = await told('auth.erasure.requested', person.id);
    assert.deepEqual([request.causationid, request.subject], [gone.id, `erasure/${person.id}`]);
  });

  it('frees the address, and tells nobody that there was somebody', async () => {
    const person = await signUp(replica);
    await erased(person);
    const [known, unknown] = [await signInAgain(person.email), await signInAgain(randomEmail())];
    const plain = ({ status, body }: Answered) => ({ status, ...body, requestId: '' });
    assert.deepEqual(plain(known), plain(unknown));
    const anew = personOf(await replica.call('POST /v1/auth/sign-up', { body: { email: person.email, password } }));
    assert.notEqual(anew.id, person.id);
  });

  it('lets nobody with a token guess the password', async () => {
    const person = await signUp(replica);
    const guess = (index: number) => erase(person.accessToken, { password: `not the password ${index}` });
    // Five by the places of the session, and as many by those of strangers.
    for (let index = 0; index < 10; index += 1) assert.equal(code(await guess(index)), '401 invalid-credentials');
    const counted = await openCountedGuesses(world);
    await counted.prolong(person.email);
    counted.stop();
    const refused = await erase(person.accessToken, { password });
    assert.equal(code(refused), '429 too-many-attempts');
    assert.match(refused.headers.get('retry-after') ?? '', /^[1-9]\d*$/);
    assert.equal((await replica.call('GET /v1/auth/account', { token: person.accessToken })).status, 200);
  });

  it('asks for the password, and does nothing without the right one', async () => {
    const person = await signUp(replica);
    assert.equal(code(await erase(person.accessToken, { password: 'not the password' })), '401 invalid-credentials');
    for (const [body, pointer] of [
      [{}, '/password'],
      [{ password: 7 }, '/password'],
      [{ password: { $gt: '' } }, '/password'],
      [{ password: 'x'.repeat(3_000) }, '/password'],
      [{ password, sure: true }, '/sure'],
      [[], ''],
    ] as const) {
      const answer = await erase(person.accessToken, body);
      assert.equal(code(answer), '400 invalid-request', JSON.stringify(body).slice(0, 80));
      assert.equal((answer.body as unknown as { errors: { pointer: string }[] }).errors[0]?.pointer, pointer);
    }
    assert.equal((await replica.call('DELETE /v1/auth/account', { token: person.accessToken })).status, 415);
    assert.equal((await replica.call('DELETE /v1/auth/account', { body: { password } })).status, 401);
    assert.equal((await replica.call('GET /v1/auth/account', { token: person.accessToken })).status, 200);
  });

  it('asks for the second factor beside the password, in a session from before there was one too', async () => {
    const person = await signUp(replica);
    const totp = await enrolTotp(world, replica, person);
    assert.equal(code(await erase(person.accessToken)), '401 insufficient-authentication');
    assert.equal(code(await erase(person.accessToken, { password: 'not the password' })), '401 invalid-credentials');
    assert.equal((await replica.call('GET /v1/auth/account', { token: person.accessToken })).status, 200);
    const proof = { token: person.accessToken, body: { totp: await totp.code() } };
    const { accessToken } = (await replica.call('POST /v1/auth/step-up', proof)).body as unknown as Person;
    assert.equal(code(await erase(accessToken, {})), '400 invalid-request', 'the password is asked for as ever');
    assert.equal((await erase(accessToken)).status, 202);
  });

  it('happens once for any number of calls at once, which tell of the same', async () => {
    const person = await signUp(replica);
    const answers = await Promise.all(Array.from({ length: 5 }, () => erase(person.accessToken)));
    const done = answers.filter(({ status }) => status === 202);
    assert.ok(done.length >= 1);
    assert.ok(answers.every((each) => each.status === 202 || code(each) === '401 unauthenticated'));
    assert.equal(new Set(done.map(({ body }) => String(body.eventId))).size, 1);
    await told('auth.erasure.requested', person.id);
    const gone = published.all.filter(
      (each) => each.subject === `account/${person.id}` && each.type === 'auth.account.deleted',
    );
    assert.equal(gone.length, 1);
  });

  it('ends more sessions than fit into one transaction, and one that began in the same moment', async () => {
    const person = await signUp(replica);
    const [session] = await sessions().find({ accountId: person.id }).toArray();
    assert.ok(session);
    const copies = Array.from({ length: 150 }, () => ({ ...session, _id: newId('ses'), outbox: [] }));
    await sessions().insertMany(copies);
    const answer = await erased(person);
    assert.equal(answer.headers.get('causeway-event'), null, 'there are too many to name');
    await sessions().insertOne({ ...session, _id: newId('ses'), outbox: [] } as never);
    const isEnd = ({ type, data }: EventEnvelope): boolean =>
      type === 'auth.session.ended' && (data as { accountId: string }).accountId === person.id;
    await published.waitFor(isEnd, 152);
  });

  describe('as an administrator', () => {
    const promote = ({ id }: Person) => accounts().updateOne({ _id: id }, { $set: { roles: ['admin', 'member'] } });

    it('is refused to the last one', async () => {
      await accounts().updateMany({}, { $set: { roles: ['member'] } });
      const person = await signUp(replica);
      await promote(person);
      const answer = await erase(person.accessToken);
      assert.equal(code(answer), '409 last-administrator');
      assert.equal((await replica.call('GET /v1/auth/account', { token: person.accessToken })).status, 200);
    });

    it('is refused to the last one who is not disabled', async () => {
      await accounts().updateMany({}, { $set: { roles: ['member'] } });
      const [person, disabled] = [await signUp(replica), await signUp(replica)];
      for (const each of [person, disabled]) await promote(each);
      await accounts().updateOne({ _id: disabled.id }, { $set: { disabledAt: new Date() } });
      assert.equal(code(await erase(person.accessToken)), '409 last-administrator');
      await accounts().updateOne({ _id: disabled.id }, { $unset: { disabledAt: '' } });
      assert.equal((await erase(person.accessToken)).status, 202);
    });

    it('is refused to one of the last two who go at once', async (context) => {
      /** Where a busy machine keeps MongoDB from answering in time, whoever asked is told to ask again. */
      const erasedOrNot = async (token: string): Promise<number> => {
        const answer = await erase(token);
        if (answer.status !== 503) return answer.status;
        context.diagnostic(JSON.stringify(answer.body));
        return (await erase(token)).status;
      };
      for (let round = 0; round < 3; round += 1) {
        await accounts().updateMany({}, { $set: { roles: ['member'] } });
        const people = [await signUp(replica), await signUp(replica)];
        for (const each of people) await promote(each);
        const answers = await Promise.all(people.map(({ accessToken }) => erasedOrNot(accessToken)));
        assert.deepEqual(answers.sort(), [202, 409]);
      }
    });
  });

  it('ends with a certificate when every service has answered, and leaves nothing but ids here', async () => {
    const email = randomEmail();
    const agent = `secret-agent/${newId('usr')}`;
    const headers = { 'user-agent': agent };
    const name = `Ada ${newId('usr')}`;
    const person = personOf(await replica.call('POST /v1/auth/sign-up', { body: { email, password, name }, headers }));
    await replica.call('POST /v1/auth/sign-in', { body: { email, password }, headers });
    await replica.call('POST /v1/auth/refresh', { body: { refreshToken: person.refreshToken } });
    await erased(person);
    await told('auth.removal.prepared', person.id);
    for (const service of ['user', 'data'] as const) await world.answerAs(service, person.id);
    const certificate = await told('auth.erasure.completed', person.id);
    const { services, requestedAt, kafkaUntil } = certificate.data as {
      services: Record<string, { completedAt: string; counts: Record<string, number> }>;
      requestedAt: string;
      kafkaUntil: string;
    };
    assert.deepEqual(Object.keys(services).sort(), ['auth', 'data', 'user']);
    assert.equal(services.auth?.counts.sessions, 2);
    assert.ok(Date.parse(requestedAt) < Date.parse(services.auth.completedAt));
    assert.ok(Date.parse(kafkaUntil) - Date.parse(certificate.time) > 7 * 24 * 3_600_000);

    const texts: string[] = [];
    for (const each of await world.db.listCollections().toArray()) {
      for await (const row of world.db.collection(each.name).find()) texts.push(`${each.name} ${JSON.stringify(row)}`);
    }
    for (const secret of [email, name, agent])
      assert.deepEqual(
        texts.filter((each) => each.includes(secret)),
        [],
      );
    assert.equal(await sessions().countDocuments({ accountId: person.id }), 0);
    const log = world.db.collection<{ _id: string; event: EventEnvelope }>('events');
    assert.equal(await log.countDocuments({ 'event.authid': person.id }), 0);
    const about = await log
      .find({ 'event.subject': `account/${person.id}` })
      .sort({ pos: 1 })
      .toArray();
    assert.deepEqual(
      about.map(({ event }) => [event.type, isRedacted(event)]),
      [
        ['auth.account.created', true],
        ['auth.account.deleted', false],
      ],
    );
  });

  it('is told of where a service says nothing in time, and is waited for on', async () => {
    const person = await signUp(replica);
    await erased(person);
    await told('auth.erasure.requested', person.id);
    await world.answerAs('user', person.id);
    const stalled = await told('auth.erasure.stalled', person.id);
    const { missing } = stalled.data as { missing: string[] };
    assert.ok(missing.includes('data'), missing.join());
    await world.answerAs('data', person.id);
    await told('auth.erasure.completed', person.id);
  });
});
