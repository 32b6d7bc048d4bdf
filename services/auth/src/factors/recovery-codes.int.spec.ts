import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';

import type { PublishedEvents } from '@causeway/events/testing';
import { openCountedGuesses } from '../testing/counted-guesses.ts';
import { claimsOf, openTestAuth, password, personOf, signUp } from '../testing/test-auth.ts';
import type { Answered, Person, TestAuth, TestReplica } from '../testing/test-auth.ts';
import { addPasskey } from '../testing/test-passkey.ts';
import { enrolTotp, totpOf } from '../testing/test-totp.ts';

interface Factor {
  readonly id: string;
  readonly kind: string;
  readonly name: string;
  readonly remaining?: number;
}

describe('recovery codes, and losing a factor', () => {
  let world: TestAuth;
  let auth: TestReplica;
  let other: TestReplica;
  let published: PublishedEvents;
  /** As signed up: with one proof. */
  let ada: Person;
  let totpId: string;
  let secret: string;
  let codes: readonly string[];

  const told = ({ status, body }: Answered) => [status, body.code];
  const codeOf = (steps = 0): Promise<string> => totpOf(secret, steps);
  const firstStep = async (replica = auth): Promise<string> => {
    const answer = await replica.call('POST /v1/auth/sign-in', { body: { email: ada.email, password } });
    assert.equal(answer.body.status, 'mfa-required', JSON.stringify(answer.body));
    return String(answer.body.mfaToken);
  };
  const secondStep = async (proof: object, replica = auth) =>
    replica.call('POST /v1/auth/sign-in/second-factor', { body: { mfaToken: await firstStep(replica), ...proof } });
  const factorsOf = async ({ accessToken: token }: Person): Promise<readonly Factor[]> => {
    const answer = await auth.call('GET /v1/auth/factors', { token });
    assert.equal(answer.status, 200);
    return (answer.body as unknown as { items: Factor[] }).items;
  };
  const remove = ({ accessToken: token }: Person, id: string) => auth.call(`DELETE /v1/auth/factors/${id}`, { token });
  const renew = ({ accessToken: token }: Person) => auth.call('POST /v1/auth/factors/recovery-codes', { token });

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica();
    other = await world.replica();
    published = await world.published();
  });
  after(() => world.stop());
  beforeEach(async () => {
    ada = await signUp(auth);
    const begun = await auth.call('POST /v1/auth/factors/totp', { token: ada.accessToken, body: {} });
    ({ id: totpId, secret } = begun.body as unknown as { id: string; secret: string });
    const confirmed = await auth.call(`POST /v1/auth/factors/totp/${totpId}/confirm`, {
      token: ada.accessToken,
      body: { code: await codeOf(-1) },
    });
    codes = (confirmed.body as unknown as { recoveryCodes: string[] }).recoveryCodes;
    assert.equal(codes.length, 10, JSON.stringify(confirmed.body));
  });

  it('come with the first second factor, and sign in in place of it, each once', async () => {
    const [code = ''] = codes;
    const answer = await secondStep({ recoveryCode: code.toLowerCase().replaceAll('-', ' ') });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    const person = personOf(answer);
    const { acr, amr } = claimsOf(person.accessToken);
    assert.deepEqual([acr, amr], ['aal2', ['pwd', 'recovery', 'mfa']]);
    assert.deepEqual(told(await secondStep({ recoveryCode: code })), [401, 'invalid-code']);
    const account = await auth.call('GET /v1/auth/account', { token: person.accessToken });
    assert.equal(account.body.hasSecondFactor, true);
    const list = await factorsOf(person);
    assert.deepEqual(
      list.map(({ kind, remaining }) => [kind, remaining]),
      [
        ['totp', undefined],
        ['recovery-codes', 9],
      ],
    );
    const [used] = await published.waitFor(
      ({ subject, type }) => subject === `factor/${list[1]?.id}` && type === 'auth.factor.used',
    );
    assert.equal((used?.data as { remaining: number }).remaining, 9);
  });

  it('stay good where a further factor is added, and are made anew where all are used', async () => {
    const sure = personOf(await secondStep({ recoveryCode: codes[0] }));
    const key = await addPasskey(auth, sure);
    assert.equal(key.registered.body.recoveryCodes, undefined);
    assert.equal((await auth.call(`DELETE /v1/auth/factors/${totpId}`, { token: sure.accessToken })).status, 204);
    const again = await enrolTotp(world, auth, personOf(await key.signIn()));
    assert.equal(again.recoveryCodes, undefined, 'an app brings no others either');
    const items = await factorsOf(personOf(await key.signIn()));
    assert.equal(items.find(({ kind }) => kind === 'recovery-codes')?.remaining, 9);
    assert.equal((await secondStep({ recoveryCode: codes[1] })).status, 200);

    await world.db
      .collection('factors')
      .updateMany({ accountId: ada.id, kind: 'recovery-codes' }, { $set: { 'codes.$[].usedAt': new Date() } });
    const other = await addPasskey(auth, personOf(await key.signIn()));
    const anew = (other.registered.body as unknown as { recoveryCodes: string[] }).recoveryCodes;
    assert.equal(anew.length, 10);
    assert.equal((await secondStep({ recoveryCode: codes[2] })).status, 401);
    assert.equal((await secondStep({ recoveryCode: anew[0] })).status, 200);
  });

  it('let one in of any number who come with the same one', async () => {
    const tokens = [await firstStep(), await firstStep(other), await firstStep()];
    const answers = await Promise.all(
      tokens.map((mfaToken, index) =>
        (index === 1 ? other : auth).call('POST /v1/auth/sign-in/second-factor', {
          body: { mfaToken, recoveryCode: codes[0] },
        }),
      ),
    );
    assert.equal(answers.filter(({ status }) => status === 200).length, 1, JSON.stringify(answers.map(told)));
  });

  it('are kept in no form that could be typed in', async () => {
    for (const each of await world.db.listCollections().toArray()) {
      for await (const row of world.db.collection(each.name).find()) {
        const text = JSON.stringify(row);
        for (const code of codes) {
          assert.equal(text.includes(code) || text.includes(code.replaceAll('-', '')), false, each.name);
        }
      }
    }
  });

  it('are made anew by whoever has given two proofs lately, and the old ones open nothing', async () => {
    const refused = await renew(ada);
    assert.deepEqual(told(refused), [401, 'insufficient-authentication']);
    assert.match(refused.headers.get('www-authenticate') ?? '', /acr_values="aal2"/);
    const sure = personOf(await secondStep({ recoveryCode: codes[0] }));
    const renewed = await renew(sure);
    assert.equal(renewed.status, 200, JSON.stringify(renewed.body));
    assert.equal(renewed.headers.get('cache-control'), 'no-store');
    const fresh = (renewed.body as unknown as { codes: string[] }).codes;
    assert.equal(new Set([...fresh, ...codes]).size, 20);
    assert.deepEqual(told(await secondStep({ recoveryCode: codes[1] })), [401, 'invalid-code']);
    assert.equal((await secondStep({ recoveryCode: fresh[0] })).status, 200);
    assert.equal((await factorsOf(sure)).length, 2);
  });

  it('stand in for nothing where there is no second factor', async () => {
    const sure = personOf(await secondStep({ recoveryCode: codes[0] }));
    assert.equal((await remove(sure, totpId)).status, 204);
    const refreshed = await auth.call('POST /v1/auth/refresh', { body: { refreshToken: sure.refreshToken } });
    const token = (refreshed.body as unknown as { accessToken: string }).accessToken;
    assert.deepEqual(told(await renew({ ...sure, accessToken: token })), [409, 'conflict']);
  });

  it('go with the last second factor, which ends all sessions but the one that asks', async () => {
    const elsewhere = personOf(await secondStep({ recoveryCode: codes[0] }));
    const sure = personOf(await secondStep({ totp: await codeOf() }));
    assert.deepEqual(told(await remove(ada, totpId)), [401, 'insufficient-authentication']);
    const removed = await remove(sure, totpId);
    assert.equal(removed.status, 204, JSON.stringify(removed.body));

    const refresh = ({ refreshToken }: Person) => auth.call('POST /v1/auth/refresh', { body: { refreshToken } });
    for (const person of [ada, elsewhere]) assert.equal((await refresh(person)).status, 401);
    const stays = await refresh(sure);
    assert.equal(stays.status, 200, JSON.stringify(stays.body));
    const token = (stays.body as unknown as { accessToken: string }).accessToken;
    assert.deepEqual(await factorsOf({ ...sure, accessToken: token }), []);
    assert.equal((await auth.call('GET /v1/auth/account', { token })).body.hasSecondFactor, false);
    const answer = await auth.call('POST /v1/auth/sign-in', { body: { email: ada.email, password } });
    assert.equal(answer.body.status, 'signed-in');

    const [updated] = await published.waitFor(
      ({ subject, type, data }) =>
        subject === `account/${ada.id}` && type === 'auth.account.updated' && 'accessVersion' in (data as object),
    );
    const { changed, accessVersion, sessionsFrom } = updated?.data as Record<string, unknown>;
    assert.deepEqual([changed, accessVersion, sessionsFrom], [['factors'], 2, 2]);
    const gone = await published.waitFor(({ type, data }) => {
      return type === 'auth.factor.removed' && (data as { accountId: string }).accountId === ada.id;
    }, 2);
    assert.deepEqual(gone.map(({ data }) => (data as { kind: string }).kind).sort(), ['recovery-codes', 'totp']);
  });

  it('are of their owner alone: a factor is named and removed by nobody else', async () => {
    const bob = await signUp(auth);
    const rename = (person: Person, body: unknown) =>
      auth.call(`PATCH /v1/auth/factors/${totpId}`, { token: person.accessToken, body });
    assert.deepEqual(told(await rename(bob, { name: 'Mine' })), [404, 'not-found']);
    const sure = personOf(await secondStep({ recoveryCode: codes[0] }));
    assert.deepEqual(told(await remove(sure, 'fac_0')), [404, 'not-found']);
    assert.equal((await rename(sure, { name: 'Old telephone' })).status, 200);
    assert.equal((await factorsOf(sure))[0]?.name, 'Old telephone');
    for (const body of [{}, { name: '' }, { name: { $gt: '' } }, { name: 'x', accountId: bob.id }]) {
      assert.deepEqual(told(await rename(sure, body)), [400, 'invalid-request'], JSON.stringify(body));
    }
  });

  it('count with passwords and other codes when they are guessed', async () => {
    const mfaToken = await firstStep();
    const guess = (proof: object) => auth.call('POST /v1/auth/sign-in/second-factor', { body: { mfaToken, ...proof } });
    for (const proof of [{ recoveryCode: 'AAAA-AAAA-AAAA-AAAA' }, { totp: '000000' }, { recoveryCode: 'x' }]) {
      assert.deepEqual(told(await guess(proof)), [401, 'invalid-code']);
    }
    assert.equal(
      (await auth.call('POST /v1/auth/sign-in', { body: { email: ada.email, password: 'wrong' } })).status,
      401,
    );
    const counted = await openCountedGuesses(world);
    await counted.prolong(ada.email).finally(() => counted.stop());
    assert.deepEqual(told(await guess({ recoveryCode: codes[0] })), [429, 'too-many-attempts']);
    assert.deepEqual(told(await guess({ recoveryCode: codes[0], totp: '000000' })), [400, 'invalid-request']);
  });
});
