import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';

import type { PublishedEvents } from '@causeway/events/testing';

import { SoftAuthenticator } from '../../testing/soft-authenticator.ts';
import type { SoftOptions } from '../../testing/soft-authenticator.ts';
import { claimsOf, openTestAuth, password, personOf, signUp } from '../../testing/test-auth.ts';
import type { Answered, Person, TestAuth, TestReplica } from '../../testing/test-auth.ts';

/** What passkeys belong to where `PUBLIC_URL` is as it is by default. */
const site = { origin: 'http://localhost:8080', rpId: 'localhost' };

interface Asked {
  readonly ticket: string;
  readonly options: { readonly challenge: string; readonly user?: { readonly id: string } };
}

describe('passkeys', () => {
  let world: TestAuth;
  let auth: TestReplica;
  let other: TestReplica;
  let published: PublishedEvents;
  let ada: Person;

  const told = ({ status, body }: Answered) => [status, body.code];
  const asked = (answer: Answered): Asked => {
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    return answer.body as unknown as Asked;
  };
  const begin = async (token: string) => asked(await auth.call('POST /v1/auth/factors/passkeys/options', { token }));
  const send = (token: string, body: object) => auth.call('POST /v1/auth/factors/passkeys', { token, body });
  const register = async (token: string, key: SoftAuthenticator) => {
    const { ticket, options } = await begin(token);
    return send(token, { ticket, response: key.register(options) });
  };
  /** A person who has a passkey, and the key. */
  const registered = async (given: Partial<SoftOptions> = {}) => {
    const person = await signUp(auth);
    const key = new SoftAuthenticator({ ...site, ...given });
    const answer = await register(person.accessToken, key);
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
    return { person, key, answer };
  };
  const ask = async (replica = auth) => asked(await replica.call('POST /v1/auth/sign-in/passkey/options'));
  const enter = ({ ticket }: Asked, response: object, replica = auth) =>
    replica.call('POST /v1/auth/sign-in/passkey', { body: { ticket, response } });
  const signInWith = async (key: SoftAuthenticator, instead?: Partial<SoftOptions>) => {
    const given = await ask();
    return enter(given, key.use(given.options, instead));
  };
  const firstStep = async ({ email }: Person): Promise<string> => {
    const answer = await auth.call('POST /v1/auth/sign-in', { body: { email, password } });
    assert.deepEqual([answer.status, answer.body.status], [200, 'mfa-required'], JSON.stringify(answer.body));
    return (answer.body as unknown as { mfaToken: string }).mfaToken;
  };
  const passkeysOf = (accountId: string) =>
    world.db.collection('factors').countDocuments({ accountId, kind: 'passkey' });

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica();
    other = await world.replica();
    published = await world.published();
  });
  after(() => world.stop());
  beforeEach(async () => {
    ada = await signUp(auth);
  });

  it('are registered, with recovery codes the first time, and listed', async () => {
    const { person, answer } = await registered();
    const { id, kind, name, recoveryCodes } = answer.body as unknown as Record<string, string> & {
      recoveryCodes: string[];
    };
    assert.deepEqual([kind, name, recoveryCodes.length], ['passkey', 'Passkey', 10]);
    const [added] = await published.waitFor(({ subject }) => subject === `factor/${id}`);
    const { id: accountId, sessionId } = person;
    assert.deepEqual(added?.data, { factorId: id, accountId, kind: 'passkey', sessionId, status: 'active' });
    assert.ok((answer.headers.get('causeway-event') ?? '').includes(added.id));
    const account = await auth.call('GET /v1/auth/account', { token: person.accessToken });
    assert.equal(account.body.hasSecondFactor, true);
    const { items } = (await auth.call('GET /v1/auth/factors', { token: person.accessToken })).body as unknown as {
      items: { kind: string }[];
    };
    assert.deepEqual(items.map((each) => each.kind).sort(), ['passkey', 'recovery-codes']);
  });

  it('ask for a key that knows its owner, tell authenticators nothing of the account, and name the keys that are there', async () => {
    const { options } = (await begin(ada.accessToken)) as unknown as {
      options: {
        rp: object;
        user: { id: string };
        authenticatorSelection: object;
        attestation: string;
        excludeCredentials: { id: string }[];
      };
    };
    assert.deepEqual(options.rp, { name: 'causeway', id: 'localhost' });
    assert.match(options.user.id, /^[\w-]{43}$/);
    assert.equal(Buffer.from(options.user.id, 'base64url').includes(ada.id), false);
    const selection = { residentKey: 'required', userVerification: 'required', requireResidentKey: true };
    assert.deepEqual([options.authenticatorSelection, options.attestation], [selection, 'none']);
    assert.deepEqual(options.excludeCredentials, []);
    const key = new SoftAuthenticator(site);
    assert.equal((await register(ada.accessToken, key)).status, 201);
    const sure = await auth.call('POST /v1/auth/step-up/options', { token: ada.accessToken });
    const { passkey } = sure.body as unknown as { passkey: { options: { allowCredentials: { id: string }[] } } };
    assert.deepEqual(
      passkey.options.allowCredentials.map(({ id }) => id),
      [key.credentialId],
    );
    // Whoever is not known yet is told of nobody's.
    const anybody = await ask();
    assert.deepEqual((anybody.options as unknown as { allowCredentials: [] }).allowCredentials, []);
  });

  it('sign in alone, as surely as two factors', async () => {
    for (const isSynchronised of [false, true]) {
      const { person, key } = await registered({ isSynchronised });
      const answer = await signInWith(key);
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      const entered = personOf(answer);
      assert.equal(entered.id, person.id);
      const { acr, amr } = claimsOf(entered.accessToken);
      assert.deepEqual([acr, amr], ['aal2', [isSynchronised ? 'swk' : 'hwk', 'user']]);
      const [started] = await published.waitFor(({ subject }) => subject === `session/${entered.sessionId}`);
      assert.equal((started?.data as { method: string }).method, 'passkey');
      assert.match(answer.headers.get('causeway-event') ?? '', new RegExp(`, ${started?.id}$`));
      assert.equal((await signInWith(key)).status, 200, 'and again');
    }
  });

  it('are asked for after a password, which alone opens nothing any more', async () => {
    const { person, key } = await registered();
    const mfaToken = await firstStep(person);
    const answer = await auth.call('POST /v1/auth/sign-in/second-factor/options', { body: { mfaToken } });
    const { methods, passkey } = answer.body as unknown as { methods: string[]; passkey: Asked };
    assert.deepEqual(methods, ['passkey', 'recovery-codes']);
    const body = { mfaToken, passkey: { ticket: passkey.ticket, response: key.use(passkey.options) } };
    const entered = await auth.call('POST /v1/auth/sign-in/second-factor', { body });
    assert.equal(entered.status, 200, JSON.stringify(entered.body));
    assert.deepEqual(claimsOf(personOf(entered).accessToken).amr, ['pwd', 'hwk', 'user', 'mfa']);
    assert.deepEqual(told(await auth.call('POST /v1/auth/sign-in/second-factor', { body })), [404, 'ticket-invalid']);
  });

  it('prove once more who one is', async () => {
    const { person, key } = await registered();
    const token = person.accessToken;
    const { passkey } = (await auth.call('POST /v1/auth/step-up/options', { token })).body as unknown as {
      passkey: Asked;
    };
    const body = { passkey: { ticket: passkey.ticket, response: key.use(passkey.options) } };
    const answer = await auth.call('POST /v1/auth/step-up', { token, body });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    const { acr, amr, sid } = claimsOf((answer.body as unknown as { accessToken: string }).accessToken);
    assert.deepEqual([acr, amr, sid], ['aal2', ['pwd', 'hwk', 'user', 'mfa'], person.sessionId]);
  });

  it('are refused where anything of it is not as it was asked for', async () => {
    const { key } = await registered();
    for (const instead of [
      { origin: 'http://evil.example' },
      { origin: 'http://localhost:8081' },
      { origin: 'https://localhost:8080' },
      { rpId: 'evil.example' },
      { isVerified: false },
      { type: 'webauthn.create' },
      { challenge: Buffer.alloc(32).toString('base64url') },
    ]) {
      assert.deepEqual(told(await signInWith(key, instead)), [401, 'passkey-invalid'], JSON.stringify(instead));
    }
    assert.equal((await signInWith(key)).status, 200, 'and it is none of these that a good one is refused for');
  });

  it('are not registered where anything of it is not as it was asked for', async () => {
    for (const instead of [
      { origin: 'http://evil.example' },
      { rpId: 'evil.example' },
      { isVerified: false },
      { type: 'webauthn.get' },
      { challenge: Buffer.alloc(32).toString('base64url') },
    ]) {
      const { ticket, options } = await begin(ada.accessToken);
      const response = new SoftAuthenticator(site).register(options, instead);
      assert.deepEqual(told(await send(ada.accessToken, { ticket, response })), [401, 'passkey-invalid']);
    }
    assert.equal(await passkeysOf(ada.id), 0);
  });

  it('answer a challenge once, in time, for what it was made for', async () => {
    const { person, key } = await registered();
    const given = await ask();
    const response = key.use(given.options);
    assert.equal((await enter(given, response)).status, 200);
    assert.deepEqual(told(await enter(given, response)), [401, 'passkey-invalid'], 'replayed');
    const again = await ask();
    assert.deepEqual(told(await enter(again, response)), [401, 'passkey-invalid'], 'of an old challenge');
    assert.deepEqual(told(await enter(again, key.use(again.options))), [401, 'passkey-invalid'], 'after a wrong try');
    const late = await ask();
    world.clock.aheadMs += 5 * 60_000;
    try {
      assert.deepEqual(told(await enter(late, key.use(late.options))), [401, 'passkey-invalid'], 'too late');
    } finally {
      world.clock.aheadMs = 0;
    }
    // What was asked of one account signs nobody in, nor registers anything, and the other way round.
    const token = person.accessToken;
    const stepUp = (await auth.call('POST /v1/auth/step-up/options', { token })).body as unknown as { passkey: Asked };
    assert.equal((await enter(stepUp.passkey, key.use(stepUp.passkey.options))).status, 401);
    const forAll = await ask();
    const passkey = { ticket: forAll.ticket, response: key.use(forAll.options) };
    assert.deepEqual(told(await auth.call('POST /v1/auth/step-up', { token, body: { passkey } })), [
      401,
      'passkey-invalid',
    ]);
    const foreign = await begin(ada.accessToken);
    const eve = await signUp(auth);
    const made = new SoftAuthenticator(site).register(foreign.options);
    const stolen = { ticket: foreign.ticket, response: made };
    assert.deepEqual(told(await send(eve.accessToken, stolen)), [401, 'passkey-invalid']);
  });

  it('let one in of any number who come with the same answer', async () => {
    const { key } = await registered({ isSynchronised: true });
    const given = await ask();
    const response = key.use(given.options);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => enter(given, response, index % 2 === 0 ? auth : other)),
    );
    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
  });

  it('of somebody else are no second factor, and none of one’s own', async () => {
    const { person } = await registered();
    const { key: foreign } = await registered();
    const mfaToken = await firstStep(person);
    const asking = { body: { mfaToken } };
    const options = (await auth.call('POST /v1/auth/sign-in/second-factor/options', asking)).body as unknown as {
      passkey: Asked;
    };
    const passkey = { ticket: options.passkey.ticket, response: foreign.use(options.passkey.options) };
    const answer = await auth.call('POST /v1/auth/sign-in/second-factor', { body: { mfaToken, passkey } });
    assert.deepEqual(told(answer), [401, 'passkey-invalid']);
  });

  it('belong to one account, once', async () => {
    const { key } = await registered();
    assert.deepEqual(told(await register(ada.accessToken, key)), [409, 'factor-exists']);
    assert.equal(await passkeysOf(ada.id), 0);
    const account = await auth.call('GET /v1/auth/account', { token: ada.accessToken });
    assert.equal(account.body.hasSecondFactor, false, 'nothing of it has happened');
  });

  it('that count backwards are copies: the use is refused, and noted', async () => {
    const { person, key, answer } = await registered();
    assert.equal((await signInWith(key, { counter: 10 })).status, 200);
    for (const counter of [10, 9, 0]) {
      assert.deepEqual(told(await signInWith(key, { counter })), [401, 'passkey-invalid'], `${counter}`);
    }
    const { id } = answer.body as unknown as { id: string };
    const [noted] = await published.waitFor(
      ({ subject, type }) => subject === `factor/${id}` && type === 'auth.factor.updated',
    );
    assert.deepEqual((noted?.data as { changed: string[] }).changed, ['suspected']);
    const { items } = (await auth.call('GET /v1/auth/factors', { token: person.accessToken })).body as unknown as {
      items: { kind: string; suspectedAt?: string }[];
    };
    assert.notEqual(items.find(({ kind }) => kind === 'passkey')?.suspectedAt, undefined);
    assert.equal((await signInWith(key, { counter: 11 })).status, 200, 'its owner is not locked out');
  });

  it('are ten at most, and the last way in is not taken away', async () => {
    const { person, key } = await registered();
    const signedIn = personOf(await signInWith(key));
    for (let index = 1; index < 10; index += 1) {
      assert.equal((await register(signedIn.accessToken, new SoftAuthenticator(site))).status, 201, `${index}`);
    }
    const more = await register(signedIn.accessToken, new SoftAuthenticator(site));
    assert.deepEqual(told(more), [409, 'factor-limit']);
    await world.db
      .collection<{ _id: string }>('accounts')
      .updateOne({ _id: person.id }, { $unset: { passwordHash: 1 } });
    const factors = world.db.collection<{ _id: string; kind: string; accountId: string }>('factors');
    await factors.deleteMany({
      accountId: person.id,
      kind: 'passkey',
      'passkey.credentialId': { $ne: key.credentialId },
    });
    const last = await factors.findOne({ accountId: person.id, kind: 'passkey' });
    const removal = await auth.call(`DELETE /v1/auth/factors/${last?._id}`, { token: signedIn.accessToken });
    assert.deepEqual(told(removal), [409, 'last-factor']);
    assert.match(String(removal.body.detail), /Set a password first .*PUT \/v1\/auth\/password/);
    assert.equal((await signInWith(key)).status, 200, 'it is there still');
  });

  it('that are removed open nothing', async () => {
    const { key, answer } = await registered();
    const token = personOf(await signInWith(key)).accessToken;
    const { id } = answer.body as unknown as { id: string };
    assert.equal((await auth.call(`DELETE /v1/auth/factors/${id}`, { token })).status, 204);
    assert.deepEqual(told(await signInWith(key)), [401, 'passkey-invalid']);
  });

  it('sign nobody in to an account that is disabled', async () => {
    const { person, key } = await registered();
    const disabled = { disabledAt: new Date(), accessVersion: 2, sessionsFrom: 2 };
    await world.db.collection<{ _id: string }>('accounts').updateOne({ _id: person.id }, { $set: disabled });
    assert.deepEqual(told(await signInWith(key)), [403, 'account-disabled']);
  });

  it('let their owner in whose account others have locked by guessing', async () => {
    const { person, key } = await registered();
    const guess = async () => {
      const body = { email: person.email, password: 'not the password' };
      return (await auth.call('POST /v1/auth/sign-in', { body })).status;
    };
    const statuses: number[] = [];
    // On a slow machine the first pauses are over before the next guess.
    while (!statuses.includes(429) && statuses.length < 12) statuses.push(await guess());
    assert.ok(statuses.includes(429), statuses.join(' '));
    assert.equal((await signInWith(key)).status, 200);
    // All is forgiven: some guesses cost no pause again.
    assert.deepEqual([await guess(), await guess(), await guess(), await guess()], [401, 401, 401, 401]);
  });

  it('are refused as bad requests where they are none', async () => {
    const given = await ask();
    const { ticket } = given;
    const response = new SoftAuthenticator(site).use(given.options);
    for (const body of [
      {},
      { ticket },
      { response },
      { ticket: { $ne: '' }, response },
      { ticket, response: { ...response, id: { $gt: '' } } },
      { ticket, response: { ...response, type: 'password' } },
      { ticket, response: { ...response, response: { ...response.response, signature: '?' } } },
      { ticket, response, accountId: ada.id },
    ]) {
      const answer = await auth.call('POST /v1/auth/sign-in/passkey', { body });
      assert.deepEqual(told(answer), [400, 'invalid-request'], JSON.stringify(body));
    }
    assert.deepEqual(told(await enter(given, response)), [401, 'passkey-invalid'], 'of nobody');
    const rubbish = { ...response, response: { ...response.response, clientDataJSON: 'e30' } };
    assert.deepEqual(told(await enter(await ask(), rubbish)), [401, 'passkey-invalid']);
  });
});
