import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { generate } from 'otplib';

import { SoftAuthenticator } from '../testing/soft-authenticator.ts';
import { openTestAuth, signUp } from '../testing/test-auth.ts';
import type { Person, TestAuth, TestReplica } from '../testing/test-auth.ts';

/** What ends a session in one write, which whoever looks at its access token has not heard of yet. */
const losses = {
  'sessions ended': { accounts: { accessVersion: 2, sessionsFrom: 2 } },
  'account disabled': { accounts: { disabledAt: new Date() } },
  'session ended': { sessions: { status: 'ended', endedAt: new Date() } },
} as const;

describe('factors of an account that was lost while they were on their way', () => {
  let world: TestAuth;
  let auth: TestReplica;

  const lose = async ({ id, sessionId }: Person, loss: keyof typeof losses): Promise<void> => {
    const rows = { accounts: id, sessions: sessionId };
    for (const [name, $set] of Object.entries<object>(losses[loss])) {
      const rowsOf = world.db.collection<{ _id: string }>(name);
      const { matchedCount } = await rowsOf.updateOne({ _id: rows[name as keyof typeof rows] }, { $set });
      assert.equal(matchedCount, 1);
    }
  };
  /** But for events that wait to be passed on. */
  const stateOf = async ({ id }: Person) => {
    const projection = { outbox: 0 };
    const factors = world.db.collection('factors').find({ accountId: id }, { projection }).sort({ _id: 1 });
    const accounts = world.db.collection<{ _id: string }>('accounts');
    return { factors: await factors.toArray(), account: await accounts.findOne({ _id: id }, { projection }) };
  };
  const call = (path: string, { accessToken: token }: Person, body?: object) =>
    auth.call(path, { token, ...(body !== undefined && { body }) });

  /** What is begun, and how it is ended. */
  const passkey = async (person: Person) => {
    const { body } = await call('POST /v1/auth/factors/passkeys/options', person);
    const { ticket, options } = body as unknown as { ticket: string; options: { challenge: string } };
    const response = new SoftAuthenticator({ origin: 'http://localhost:8080', rpId: 'localhost' }).register(options);
    return () => call('POST /v1/auth/factors/passkeys', person, { ticket, response });
  };
  const totp = async (person: Person) => {
    const { body } = await call('POST /v1/auth/factors/totp', person, {});
    const { id, secret } = body as unknown as { id: string; secret: string };
    const code = await generate({ secret });
    return () => call(`POST /v1/auth/factors/totp/${id}/confirm`, person, { code });
  };
  /** Somebody who has shown a second factor of theirs. */
  const sure = async (person: Person) => {
    const { body } = await (await totp(person))();
    const { id, recoveryCodes } = body as unknown as { id: string; recoveryCodes: string[] };
    const stepped = await call('POST /v1/auth/step-up', person, { recoveryCode: recoveryCodes[0] });
    assert.equal(stepped.status, 200, JSON.stringify(stepped.body));
    return { id, person: { ...person, ...(stepped.body as unknown as Pick<Person, 'accessToken'>) } };
  };
  const codes = async (asked: Person) => {
    const { person } = await sure(asked);
    return () => call('POST /v1/auth/factors/recovery-codes', person);
  };
  const removal = async (asked: Person) => {
    const { person, id } = await sure(asked);
    return () => call(`DELETE /v1/auth/factors/${id}`, person);
  };

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica();
  });
  after(() => world.stop());

  for (const loss of Object.keys(losses) as (keyof typeof losses)[])
    for (const [name, begin] of Object.entries({ passkey, totp, codes, removal }))
      it(`are as they were (${loss}, ${name})`, async () => {
        const person = await signUp(auth);
        const finish = await begin(person);
        await lose(person, loss);
        const before = await stateOf(person);
        const answer = await finish();
        assert.deepEqual([answer.status, answer.body.code], [401, 'unauthenticated'], JSON.stringify(answer.body));
        assert.deepEqual(await stateOf(person), before);
      });

  for (const [name, begin] of Object.entries({ passkey, totp, codes, removal }))
    it(`change where nothing was lost (${name})`, async () => {
      const answer = await (await begin(await signUp(auth)))();
      assert.ok([200, 201, 204].includes(answer.status), JSON.stringify(answer.body));
    });
});
