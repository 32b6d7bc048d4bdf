import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';

import type { PublishedEvents } from '@causeway/events/testing';

import { SoftAuthenticator } from '../../testing/soft-authenticator.ts';
import type { SoftOptions } from '../../testing/soft-authenticator.ts';
import { openTestAuth, password, signUp } from '../../testing/test-auth.ts';
import type { Answered, Person, TestAuth, TestReplica } from '../../testing/test-auth.ts';

/** What passkeys belong to where `PUBLIC_URL` is as it is by default. */
const site = { origin: 'http://localhost:8080', rpId: 'localhost' };

interface Asked {
  readonly ticket: string;
  readonly options: { readonly challenge: string; readonly user?: { readonly id: string } };
}

/** Somebody with a passkey. */
interface Keyed {
  readonly person: Person;
  readonly key: SoftAuthenticator;
  /** What their authenticator knows them by. */
  readonly userHandle: string;
}

/** What an authenticator answers, and whose it is. */
interface Answering {
  readonly by: Keyed;
  readonly instead?: Partial<SoftOptions>;
}

describe('a passkey of another account', () => {
  let world: TestAuth;
  let auth: TestReplica;
  let published: PublishedEvents;
  let ada: Keyed;
  let eve: Keyed;
  /** Of Ada's first step: it opens the second until that has been taken. */
  let mfaToken: string | undefined;

  const asked = ({ status, body }: Answered): Asked => {
    assert.equal(status, 200, JSON.stringify(body));
    return ((body as { passkey?: unknown }).passkey ?? body) as Asked;
  };
  const answered = ({ ticket, options }: Asked, { by, instead }: Answering) => ({
    ticket,
    response: by.key.use(options, instead),
  });
  const registered = async (): Promise<Keyed> => {
    const person = await signUp(auth);
    const token = person.accessToken;
    const { ticket, options } = asked(await auth.call('POST /v1/auth/factors/passkeys/options', { token }));
    const key = new SoftAuthenticator(site);
    const body = { ticket, response: key.register(options) };
    const answer = await auth.call('POST /v1/auth/factors/passkeys', { token, body });
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
    return { person, key, userHandle: options.user?.id ?? assert.fail('no user') };
  };

  const firstStep = async ({ email }: Person): Promise<string> => {
    const answer = await auth.call('POST /v1/auth/sign-in', { body: { email, password } });
    assert.equal(answer.body.status, 'mfa-required', JSON.stringify(answer.body));
    return (answer.body as unknown as { mfaToken: string }).mfaToken;
  };

  /** The three places where a passkey is taken; the last two only from Ada. */
  const places: Readonly<Record<string, (answering: Answering) => Promise<Answered>>> = {
    alone: async (answering) => {
      const given = asked(await auth.call('POST /v1/auth/sign-in/passkey/options'));
      return auth.call('POST /v1/auth/sign-in/passkey', { body: answered(given, answering) });
    },
    'as the second factor': async (answering) => {
      mfaToken ??= await firstStep(ada.person);
      const given = asked(await auth.call('POST /v1/auth/sign-in/second-factor/options', { body: { mfaToken } }));
      const body = { mfaToken, passkey: answered(given, answering) };
      return auth.call('POST /v1/auth/sign-in/second-factor', { body });
    },
    'at the step-up': async (answering) => {
      const token = ada.person.accessToken;
      const given = asked(await auth.call('POST /v1/auth/step-up/options', { token }));
      return auth.call('POST /v1/auth/step-up', { token, body: { passkey: answered(given, answering) } });
    },
  };

  const trusted = ({ person }: Keyed) =>
    world.db.collection('factors').findOne({ accountId: person.id, kind: 'passkey' });
  const refused = async (answer: Answered, what: string): Promise<void> => {
    assert.deepEqual([answer.status, answer.body.code], [401, 'passkey-invalid'], what);
    assert.equal(answer.headers.get('causeway-event'), null, what);
    for (const each of [ada, eve]) {
      const factor = (await trusted(each)) as { lastUsedAt?: Date; suspectedAt?: Date } | null;
      assert.deepEqual([factor?.lastUsedAt, factor?.suspectedAt], [undefined, undefined], `${what}: nothing was used`);
    }
  };

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica();
    published = await world.published();
  });
  after(() => world.stop());
  beforeEach(async () => {
    ada = await registered();
    eve = await registered();
    mfaToken = undefined;
  });

  for (const [place, use] of Object.entries(places)) {
    it(`is refused ${place}, whichever part of it is another's`, async () => {
      const foreign: Readonly<Record<string, Answering>> = {
        "her own, that says it is another's": { by: ada, instead: { userHandle: eve.userHandle } },
        'her own, that says it is nobody’s': { by: ada, instead: { userHandle: ada.userHandle.toLowerCase() } },
        "her own signature, under the id of another's": { by: ada, instead: { credentialId: eve.key.credentialId } },
        'the same, for whom that is': {
          ...{ by: ada, instead: { credentialId: eve.key.credentialId, userHandle: eve.userHandle } },
        },
        'the other way round': { by: eve, instead: { credentialId: ada.key.credentialId } },
        'and for her': {
          ...{ by: eve, instead: { credentialId: ada.key.credentialId, userHandle: ada.userHandle } },
        },
        "another's, that says it is hers": { by: eve, instead: { userHandle: ada.userHandle } },
      };
      for (const [what, answering] of Object.entries(foreign)) await refused(await use(answering), what);
      if (place !== 'alone') await refused(await use({ by: eve }), "another's, as it is");
      const answer = await use({ by: ada });
      assert.equal(
        answer.status,
        200,
        `it is none of these that a good one is refused for: ${JSON.stringify(answer.body)}`,
      );
    });
  }

  it('is no guess: nobody is kept waiting for it, and none is told of', async () => {
    const wrong = { by: eve, instead: { credentialId: ada.key.credentialId } };
    // More than cost a wait, were they passwords.
    for (let index = 0; index < 6; index += 1) {
      for (const [place, use] of Object.entries(places)) await refused(await use(wrong), `${place}, ${index}`);
    }
    const { id, email } = ada.person;
    const guess = await auth.call('POST /v1/auth/sign-in', { body: { email, password: 'not the password' } });
    assert.equal(guess.status, 401);
    // What was noted before it is told with it, or before.
    await published.waitFor(({ subject, type }) => subject === `guard/${id}` && type === 'auth.guard.failed');
    const told = published.all.filter(({ subject }) => subject === `guard/${id}`).map(({ data }) => data);
    assert.deepEqual(
      told.map((data) => [(data as { count: number }).count, (data as { paths: string[] }).paths]),
      [[1, ['password']]],
    );
  });
});
