import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach, describe, it } from 'node:test';

import type { EventEnvelope } from '@causeway/contracts';
import type { PublishedEvents } from '@causeway/events/testing';
import { BSON } from 'mongodb';

import { claimsOf, openTestAuth, password, personOf, randomEmail, signUp } from '../testing/test-auth.ts';
import type { TestAuth, TestCall, TestReplica } from '../testing/test-auth.ts';
import { alike, changeAddress, forgedFrom, refusedAsLink, sendLink, verifyAddress } from '../testing/test-links.ts';
import { openTestMailbox } from '../testing/test-mailbox.ts';
import type { TestMailbox } from '../testing/test-mailbox.ts';

const hourMs = 3_600_000;
const existsAlready = 'You have an account at 127.0.0.1:8080 already';

interface ProofRow {
  readonly _id: string;
  readonly kind: string;
  readonly status: string;
  readonly accountId?: string;
  readonly passwordHash?: string;
  readonly name?: string;
}

/** Of every replica: an erasure waits for its tokens as long as whoever handles it says. */
const atOnce = { ERASURE_SETTLE_TIME: '1s' };

describe('signing up where the address has to be verified first', () => {
  let world: TestAuth;
  let auth: TestReplica;
  /** Of the same installation, as it was before. */
  let lenient: TestReplica;
  let published: PublishedEvents;
  let mailbox: TestMailbox;
  let email: string;

  const post = (body: object, headers: Record<string, string> = {}) =>
    auth.call('POST /v1/auth/sign-up', { body, headers });
  const verify = (body: unknown, options: TestCall = {}) =>
    auth.call('POST /v1/auth/email/verify', { body, ...options });
  const signIn = (body: unknown) => auth.call('POST /v1/auth/sign-in', { body });
  const ask = async (body: object) => {
    const answer = await post(body);
    assert.deepEqual([answer.status, answer.body], [202, { status: 'verification-sent' }], JSON.stringify(answer.body));
    assert.equal(answer.headers.get('causeway-event'), null, 'it would tell whether others have asked');
    return answer;
  };
  const linkOf = (to: string, count?: number): Promise<string> => mailbox.tokenTo(to, 'verify', count);
  const proofsOf = (of: string) =>
    world.db.collection<ProofRow>('proofs').find({ emailKey: of, kind: 'sign-up' }).sort({ createdAt: 1 }).toArray();
  const accountsOf = (of: string): Promise<number> => world.db.collection('accounts').countDocuments({ emailKey: of });
  const hashOf = async (_id: string) =>
    (await world.db.collection<{ _id: string; passwordHash: string }>('accounts').findOne({ _id }))?.passwordHash;
  const recorded = (subject: string, type: string): Promise<EventEnvelope[]> =>
    published.waitFor((event) => event.subject === subject && event.type === type);

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica({ EMAIL_VERIFICATION: 'required', GUESSES_PER_BLOCK: '100000', ...atOnce });
    lenient = await world.replica(atOnce);
    published = await world.published();
    mailbox = await openTestMailbox(world);
  });
  after(() => world.stop());
  beforeEach(() => {
    world.clock.aheadMs = 0;
    email = randomEmail();
  });

  it('makes the account by the mailed link and the password beside it, verified, and signs in', async () => {
    await ask({ email, password, name: ' Ada ' });
    assert.equal(await accountsOf(email), 0);
    assert.equal((await signIn({ email, password })).status, 401);
    const token = await linkOf(email);
    const answer = await verify({ token, password });
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    const person = personOf(answer);
    const { status, account, deviceToken } = answer.body as unknown as Record<string, string>;
    assert.equal(status, 'signed-in');
    assert.match(deviceToken ?? '', /^cwd_/);
    assert.deepEqual(account, { id: person.id, email, emailVerified: true, roles: ['member'] });
    assert.deepEqual(claimsOf(person.accessToken).amr, ['pwd']);
    const [proof] = await proofsOf(email);
    assert.deepEqual([proof?.status, proof?.accountId, proof?.passwordHash], ['used', person.id, undefined]);
    assert.equal(proof?.name, undefined);
    const [used] = await recorded(`proof/${String(proof?._id)}`, 'auth.proof.used');
    const [created] = await recorded(`account/${person.id}`, 'auth.account.created');
    const [started] = await recorded(`session/${person.sessionId}`, 'auth.session.started');
    const facts = { accountId: person.id, email, emailVerified: true, name: 'Ada', roles: ['member'] };
    assert.deepEqual(created?.data, facts);
    assert.deepEqual([created.authtype, created.authid], ['app_user', person.id]);
    assert.equal((started?.data as { method: string }).method, 'sign-up');
    assert.equal(answer.headers.get('causeway-event'), [used?.id, created.id, started?.id].join(', '));
    assert.equal((await auth.call('GET /v1/auth/account', { token: person.accessToken })).status, 200);
    assert.equal((await signIn({ email, password })).status, 200);
    refusedAsLink(await verify({ token, password }));
  });

  it('takes the password that the sign-up chose: whoever reads the mail need not be who signed up', async () => {
    await ask({ email, password });
    const token = await linkOf(email);
    const stranger = await signUp(lenient);
    for (const [body, options] of [
      [{ token }, {}],
      [{ token }, { token: stranger.accessToken }],
      [{ token, password: 'not the right one' }, {}],
      [{ token, password: '' }, {}],
    ] as const) {
      const answer = await verify(body, options);
      assert.deepEqual([answer.status, answer.body.code], [401, 'invalid-credentials']);
    }
    assert.equal(await accountsOf(email), 0);
    assert.equal((await proofsOf(email))[0]?.status, 'open');
    assert.equal((await verify({ token, password })).status, 201);
  });

  it('counts wrong passwords as guesses', async () => {
    await ask({ email, password });
    const token = await linkOf(email);
    const statuses: number[] = [];
    while (statuses.length < 100 && statuses.at(-1) !== 429)
      statuses.push((await verify({ token, password: 'not the right one' })).status);
    assert.equal(statuses.at(-1), 429, statuses.join(' '));
    assert.deepEqual(new Set(statuses.slice(0, -1)), new Set([401]));
    assert.equal(await accountsOf(email), 0);
    assert.equal((await proofsOf(email))[0]?.status, 'open');
  });

  it('needs no password: then the link alone makes the account, and one can be set', async () => {
    await ask({ email });
    const token = await linkOf(email);
    const refused = await verify({ token, password });
    const { errors } = refused.body as unknown as { errors: { pointer: string; message: string }[] };
    assert.deepEqual([refused.status, errors[0]?.pointer], [400, '/password']);
    const answer = await verify({ token });
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
    const person = personOf(answer);
    assert.deepEqual(claimsOf(person.accessToken).amr, ['link']);
    assert.equal((await signIn({ email, password })).status, 401);
    await sendLink(auth, '/v1/auth/sign-in/link', email);
    const link = { token: await mailbox.tokenTo(email, 'link') };
    assert.equal((await auth.call('POST /v1/auth/sign-in/link/redeem', { body: link })).status, 200);
    const set = { body: { newPassword: password }, token: person.accessToken };
    assert.equal((await auth.call('PUT /v1/auth/password', set)).status, 200);
    assert.equal((await signIn({ email, password })).status, 200);
  });

  it('lets whoever reads the mail choose another password: strangers who use up the links of an address keep nobody from it', async () => {
    const [strangers, chosen] = ['of somebody else entirely', 'quite another sentence'];
    for (let count = 1; count <= 5; count += 1) await ask({ email, password: strangers });
    await linkOf(email, 5);
    await ask({ email, password });
    const token = await linkOf(email, 5);
    const answer = await verify({ token, newPassword: chosen });
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
    const person = personOf(answer);
    assert.equal(person.email, email);
    // The link is all that was shown.
    assert.deepEqual(claimsOf(person.accessToken).amr, ['link']);
    assert.equal((await signIn({ email, password: chosen })).status, 200);
    for (const each of [strangers, password])
      assert.equal((await signIn({ email, password: each })).body.code, 'invalid-credentials');
    for (const { passwordHash } of await proofsOf(email)) assert.equal(passwordHash, undefined);
    refusedAsLink(await verify({ token, newPassword: chosen }));
  });

  it('takes the name of the sign-up over with its password alone: else it is what the link’s reader says, or none', async () => {
    const nameBy = async (asked: object, used: object): Promise<unknown> => {
      const address = randomEmail();
      await ask({ email: address, name: 'Eve', ...asked });
      const answer = await verify({ token: await linkOf(address), ...used });
      assert.equal(answer.status, 201, JSON.stringify(answer.body));
      const [created] = await recorded(`account/${personOf(answer).id}`, 'auth.account.created');
      return (created?.data as { name?: string }).name;
    };
    const another = { newPassword: 'quite another sentence' };
    assert.equal(await nameBy({ password }, { password }), 'Eve');
    assert.equal(await nameBy({ password }, { password, name: 'Ada' }), 'Ada');
    assert.equal(await nameBy({ password }, another), undefined, 'a stranger has signed up');
    assert.equal(await nameBy({ password }, { ...another, name: ' Ada ' }), 'Ada');
    assert.equal(await nameBy({}, {}), undefined);
    assert.equal(await nameBy({}, { name: 'Ada' }), 'Ada');
    assert.equal(await nameBy({}, another), undefined);
  });

  it('refuses a name that is none, and one beside the link of an account', async () => {
    await ask({ email });
    const token = await linkOf(email);
    const ada = await signUp(lenient);
    const verification = { token: await linkOf(ada.email), name: 'Ada' };
    for (const [body, options] of [
      ...['', ' ', 'two\nlines', 'x'.repeat(201), null, { $gt: '' }].map((name) => [{ token, name }, {}] as const),
      [verification, { token: ada.accessToken }] as const,
    ]) {
      const answer = await verify(body, options);
      const { errors } = answer.body as unknown as { errors: { pointer: string }[] };
      assert.deepEqual([answer.status, errors[0]?.pointer], [400, '/name'], JSON.stringify(body).slice(0, 80));
    }
    assert.equal(await accountsOf(email), 0);
  });

  it('writes to an address that is kept for an account as its owner wrote it, and not as whoever asks does', async () => {
    const written = `Ada.${randomEmail()}`;
    const ada = await signUp(lenient, written);
    await verifyAddress(lenient, mailbox, ada);
    await changeAddress(lenient, mailbox, ada, randomEmail());
    await ask({ email: written.toUpperCase(), password });
    assert.equal((await mailbox.mailAbout(written, existsAlready)).to, written);
  });

  it('judges a password that is chosen at the link as that of a sign-up, and keeps the link where it is refused', async () => {
    await ask({ email, name: 'Ada Lovelace', password });
    const token = await linkOf(email);
    const refused = async (body: object, status: number, pointer: string): Promise<void> => {
      const answer = await verify({ token, ...body });
      const { errors } = answer.body as unknown as { errors: { pointer: string }[] };
      assert.deepEqual([answer.status, errors[0]?.pointer], [status, pointer], JSON.stringify(answer.body));
    };
    for (const common of ['Password123!', email, 'Ada Lovelace'])
      await refused({ newPassword: common }, 422, '/newPassword');
    for (const bad of ['short', '', 'x'.repeat(257), null, { $gt: '' }])
      await refused({ newPassword: bad }, 400, '/newPassword');
    await refused({ password, newPassword: 'quite another sentence' }, 400, '/newPassword');
    assert.equal(await accountsOf(email), 0);
    assert.equal((await verify({ token, password })).status, 201);
    const ada = await signUp(lenient);
    const verification = { token: await linkOf(ada.email), newPassword: 'quite another sentence' };
    const other = await verify(verification, { token: ada.accessToken });
    assert.equal(other.status, 400, 'nobody sets the password of an account by it');
    assert.equal((await lenient.call('POST /v1/auth/sign-in', { body: { email: ada.email, password } })).status, 200);
  });

  it('takes a password at the link where the sign-up chose none', async () => {
    await ask({ email });
    const token = await linkOf(email);
    assert.equal((await verify({ token, newPassword: password })).status, 201);
    assert.equal((await signIn({ email, password })).status, 200);
  });

  it('is answered alike for an address that nobody has, that somebody has, verified or not, and that is kept', async () => {
    const [verified, unverified, moved] = [await signUp(lenient), await signUp(lenient), await signUp(lenient)];
    await verifyAddress(lenient, mailbox, verified);
    await verifyAddress(lenient, mailbox, moved);
    const kept = moved.email;
    await changeAddress(lenient, mailbox, moved, randomEmail());
    const addresses = [email, verified.email, unverified.email, kept];
    const answers = [];
    for (const each of addresses) answers.push(await ask({ email: each.toUpperCase(), password }));
    const told = new Set(answers.map(({ headers }) => JSON.stringify(alike(headers))));
    assert.equal(told.size, 1, [...told].join('\n'));
    assert.match(await linkOf(email), /^cwp_/);
    for (const each of addresses.slice(1)) {
      const mail = await mailbox.mailAbout(each, existsAlready);
      assert.equal(mail.to, each);
      assert.doesNotMatch(mail.text, /cwp_/);
      assert.match(
        mail.text,
        /http:\/\/127\.0\.0\.1:8080\/account\/sign-in\n[^]*http:\/\/127\.0\.0\.1:8080\/account\/reset\n/,
      );
      const [proof] = await proofsOf(each);
      assert.deepEqual([proof?.status, proof?.passwordHash], ['withdrawn', undefined]);
      assert.ok(proof?.accountId !== undefined, 'it goes with whoever is erased');
      const [withdrawn] = await recorded(`proof/${proof._id}`, 'auth.proof.withdrawn');
      assert.equal((withdrawn?.data as { reason: string }).reason, 'known-address');
    }
  });

  it('lets no sign-up take the link of another away, until one is used; and has five an hour of an address', async () => {
    await ask({ email, password });
    const own = await linkOf(email);
    for (let count = 2; count <= 5; count += 1) await ask({ email, password: `${password} ${count}` });
    const last = await linkOf(email, 5);
    await ask({ email, password });
    assert.deepEqual(
      (await proofsOf(email)).map(({ status }) => status),
      Array.from({ length: 5 }, () => 'open'),
    );
    const person = personOf(await verify({ token: own, password }));
    refusedAsLink(await verify({ token: last, password: `${password} 5` }));
    for (const { status, passwordHash, accountId } of (await proofsOf(email)).slice(1))
      assert.deepEqual([status, passwordHash, accountId], ['withdrawn', undefined, person.id]);
    world.clock.aheadMs = hourMs;
    await ask({ email, password });
    assert.equal((await proofsOf(email)).length, 6);
  });

  it('makes one account of any number of uses at once, of one link and of two', async () => {
    await ask({ email, password });
    const one = await linkOf(email);
    await ask({ email, password });
    const other = await linkOf(email, 2);
    const uses = Array.from({ length: 16 }, (_, each) => verify({ token: each % 2 === 0 ? one : other, password }));
    const answers = await Promise.all(uses);
    const made = answers.filter(({ status }) => status === 201);
    assert.equal(made.length, 1, answers.map(({ status }) => status).join(' '));
    // Those that come while many do are told to come again.
    for (const { status } of answers) assert.ok([201, 404, 429, 503].includes(status), `${status}`);
    assert.equal(await accountsOf(email), 1);
    const { id } = personOf(made[0]!);
    assert.equal(await world.db.collection('sessions').countDocuments({ accountId: id }), 1);
    assert.deepEqual((await proofsOf(email)).map(({ status }) => status).sort(), ['used', 'withdrawn']);
    const isCreation = ({ type, data }: EventEnvelope) =>
      type === 'auth.account.created' && (data as { email: string }).email === email;
    assert.equal((await published.waitFor(isCreation)).length, 1);
  });

  it('opens nothing any more once an account has the address by another way', async () => {
    await ask({ email, password });
    const token = await linkOf(email);
    const ada = await signUp(lenient);
    await verifyAddress(lenient, mailbox, ada);
    await changeAddress(lenient, mailbox, ada, email);
    refusedAsLink(await verify({ token, password }));
    const [proof] = await proofsOf(email);
    assert.deepEqual([proof?.status, proof?.passwordHash, proof?.accountId], ['withdrawn', undefined, ada.id]);
    // As one that is made at the same moment, and not seen by that.
    const made = { status: 'open', passwordHash: (await hashOf(ada.id)) ?? '' } as const;
    await world.db.collection<ProofRow>('proofs').updateOne({ emailKey: email, kind: 'sign-up' }, { $set: made });
    refusedAsLink(await verify({ token, password }));
    assert.equal(await accountsOf(email), 1);
  });

  it('is refused alike for a link that is unknown, forged, of another kind, or over', async () => {
    await ask({ email, password });
    const token = await linkOf(email);
    const others = randomEmail();
    await ask({ email: others, password });
    for (const text of forgedFrom(token, await linkOf(others))) refusedAsLink(await verify({ token: text, password }));
    for (const path of ['sign-in/link/redeem', 'email/undo', 'unlock'])
      refusedAsLink(await auth.call(`POST /v1/auth/${path}`, { body: { token } }));
    world.clock.aheadMs = hourMs + 1_000;
    refusedAsLink(await verify({ token, password }));
    assert.equal(await accountsOf(email), 0);
  });

  it('gives the first answer again for the same key and body, and mails once', async () => {
    const headers = { 'Idempotency-Key': randomUUID() };
    const answers = await Promise.all(Array.from({ length: 6 }, () => post({ email, password }, headers)));
    const good = answers.filter(({ status }) => status === 202);
    for (const { status, body } of answers)
      if (status !== 202) assert.deepEqual([status, body.code], [409, 'idempotency-key-in-use']);
    assert.equal(good.filter((each) => each.headers.get('idempotency-replayed') === null).length, 1);
    const again = await post({ password, email }, headers);
    assert.deepEqual([again.status, again.headers.get('idempotency-replayed')], [202, 'true']);
    const other = await post({ email, password: `${password}!` }, headers);
    assert.deepEqual([other.status, other.body.code], [422, 'idempotency-key-reused']);
    await linkOf(email);
    assert.equal((await proofsOf(email)).length, 1);
    assert.equal((await mailbox.mailsTo(email)).length, 1);
  });

  it('judges the password as ever, and refuses bad input', async () => {
    for (const [body, status] of [
      [{ email, password: 'Password123!' }, 422],
      [{ email, password: 'short' }, 400],
      [{ email, password: '' }, 400],
      [{ email, password: null }, 400],
      [{ email, password, emailVerified: true }, 400],
      [{ email: { $gt: '' } }, 400],
      [{ password }, 400],
    ] as const)
      assert.equal((await post(body)).status, status, JSON.stringify(body));
    assert.deepEqual(await proofsOf(email), []);
  });

  it('keeps no password or link in clear, and its hash in no event', async () => {
    const secret = `secret ${randomUUID()}`;
    await ask({ email, password: secret });
    const token = await linkOf(email);
    const person = personOf(await verify({ token, password: secret }));
    await recorded(`session/${person.sessionId}`, 'auth.session.started');
    let stored = JSON.stringify(published.all);
    assert.ok(!stored.includes('argon2'));
    for (const { name } of await world.db.listCollections().toArray())
      for (const row of await world.db.collection(name).find().toArray())
        stored += Buffer.from(BSON.serialize(row)).toString('latin1');
    assert.ok(stored.includes(person.id));
    for (const each of [secret, token.slice(-43), person.refreshToken]) assert.ok(!stored.includes(each));
  });

  it('goes with whoever is erased: its mails, its links, those of others for the address, and what the log says of them', async () => {
    await auth.stop();
    auth = await world.replica({ EMAIL_VERIFICATION: 'required', ...atOnce });
    await ask({ email, password });
    const token = await linkOf(email);
    await ask({ email });
    await linkOf(email, 2);
    const person = personOf(await verify({ token, password }));
    await ask({ email, password });
    await mailbox.mailAbout(email, existsAlready);
    const proofs = (await proofsOf(email)).map(({ _id }) => `proof/${_id}`);
    assert.equal(proofs.length, 3);
    const by = { body: { password }, token: person.accessToken };
    assert.equal((await auth.call('DELETE /v1/auth/account', by)).status, 202);
    await recorded(`removal/${person.id}`, 'auth.removal.completed');
    assert.deepEqual(await proofsOf(email), []);
    assert.equal(await world.db.collection('mails').countDocuments({ to: email }), 0);
    const about = { 'event.subject': { $in: proofs } };
    const kept = await world.db.collection('events').find(about).toArray();
    assert.ok(kept.length >= 3);
    for (const name of ['events', 'tombstones', 'mailbox', 'accounts', 'proofs', 'mails'])
      assert.ok(!JSON.stringify(await world.db.collection(name).find({}).toArray()).includes(email), name);
  });

  it('demands a password elsewhere, and says why', async () => {
    const answer = await lenient.call('POST /v1/auth/sign-up', { body: { email } });
    const { errors } = answer.body as unknown as { errors: { pointer: string; message: string }[] };
    assert.deepEqual([answer.status, errors.map(({ pointer }) => pointer)], [400, ['/password']]);
    assert.match(errors[0]?.message ?? '', /EMAIL_VERIFICATION=required/);
  });

  it('lets nobody in to an account of before whose address nobody has verified, and mails them the link', async () => {
    const ada = await signUp(lenient);
    await linkOf(ada.email);
    const wrong = await signIn({ email: ada.email, password: 'not the right one' });
    assert.deepEqual([wrong.status, wrong.body.code], [401, 'invalid-credentials']);
    assert.equal((await mailbox.mailsTo(ada.email)).length, 1);
    const refused = await signIn({ email: ada.email, password });
    assert.deepEqual([refused.status, refused.body.code], [403, 'email-unverified']);
    assert.equal(await world.db.collection('sessions').countDocuments({ accountId: ada.id }), 1);
    const token = await linkOf(ada.email, 2);
    const done = await verify({ token, password });
    assert.deepEqual([done.status, done.body.status], [200, 'verified']);
    assert.equal((await signIn({ email: ada.email, password })).status, 200);
  });

  it('makes five links an hour of those sign-ins, that of the account among them', async () => {
    const ada = await signUp(lenient);
    await linkOf(ada.email);
    for (let count = 1; count <= 6; count += 1)
      assert.equal((await signIn({ email: ada.email, password })).body.code, 'email-unverified');
    const made = await world.db.collection('proofs').countDocuments({ emailKey: ada.email, kind: 'verify-email' });
    assert.equal(made, 5);
  });

  it('lets whoever reads the mail in to such an account by a link, as ever', async () => {
    const ada = await signUp(lenient);
    await sendLink(auth, '/v1/auth/sign-in/link', ada.email);
    const body = { token: await mailbox.tokenTo(ada.email, 'link') };
    const answer = await auth.call('POST /v1/auth/sign-in/link/redeem', { body });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assert.equal((await signIn({ email: ada.email, password })).status, 401);
  });
});
