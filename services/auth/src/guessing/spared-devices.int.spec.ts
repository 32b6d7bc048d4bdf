import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { after, before, beforeEach, describe, it } from 'node:test';

import { MongoClient } from 'mongodb';
import type { ClientSession } from 'mongodb';

import { createDeviceTokens } from './device-token.ts';
import type { KnownBy } from './guess.ts';
import { createKnownDevices } from './known-devices.ts';

const url = process.env.MONGODB_URL ?? assert.fail('MONGODB_URL is not set');
const secret = randomBytes(32);
const dayMs = 86_400_000;
const key = 'ada@example.com';

describe('devices that an account forgets', () => {
  let client: MongoClient;
  let session: ClientSession;
  let nowMs: number;
  const name = `devices-${randomUUID().slice(0, 8)}`;
  const now = (): Date => new Date(nowMs);
  const tokens = createDeviceTokens({ secret, now });
  let devices: ReturnType<typeof createKnownDevices>;

  const issue = (by: KnownBy = 'proven') => tokens.issue(key, by);
  const known = async (...sent: readonly string[]): Promise<boolean[]> =>
    Promise.all(sent.map(async (token) => (await devices.find(token, key)) !== undefined));
  const pass = (days = 1): void => void (nowMs += days * dayMs);

  before(async () => {
    client = await MongoClient.connect(url);
    session = client.startSession();
  });
  after(async () => {
    await session.endSession();
    await client.db(name).dropDatabase();
    await client.close();
  });
  beforeEach(async () => {
    nowMs = Date.UTC(2030, 0, 15);
    const db = client.db(name);
    await db.collection('strange-devices').deleteMany({});
    devices = createKnownDevices({ db, deviceTokens: tokens, secret, now });
  });

  it('are all that were known, whatever by, and none that comes to be known later', async () => {
    const before = [issue('mailed'), issue('known'), issue('proven')];
    assert.deepEqual(await known(...before), [true, true, true]);
    pass();
    await devices.forget(key, session);
    assert.deepEqual(await known(...before, issue('mailed')), [false, false, false, true]);
    assert.equal(await devices.find(before[0], 'bob@example.com'), undefined);
  });

  it('are not those that have shown the second factor by a time, until somebody has signed in with it', async () => {
    const trusted = issue();
    const other = issue('known');
    pass();
    const provenUntil = now();
    const young = issue();
    pass();
    await devices.forget(key, session, { provenUntil });
    assert.deepEqual(await known(trusted, other, young), [true, false, false]);
    pass();
    const anew = issue();
    await devices.confirm(key);
    assert.deepEqual(await known(trusted, other, young, anew), [false, false, false, true]);
  });

  it('do not come back by being spared later', async () => {
    const first = issue();
    pass();
    await devices.forget(key, session);
    const second = issue();
    pass();
    const until = now();
    const third = issue();
    pass();
    await devices.forget(key, session, { provenUntil: until });
    assert.deepEqual(await known(first, second, third), [false, true, false]);
    pass();
    await devices.forget(key, session, { provenUntil: now() });
    assert.deepEqual(await known(first, second, third), [false, true, false]);
    await devices.forget(key, session, { provenUntil: new Date(until.getTime() - dayMs) });
    assert.deepEqual(await known(first, second, third), [false, false, false]);
    await devices.forget(key, session, { provenUntil: now() });
    assert.deepEqual(await known(first, second, third), [false, false, false]);
  });

  it('are told apart by what their tokens say, and keep the better of two', async () => {
    for (const by of ['known', 'proven'] as const) {
      const own = issue(by);
      assert.equal((await devices.find(own, key))?.budget, by);
      assert.equal(await devices.tokenByMail(own, key), own);
    }
    for (const sent of [undefined, issue('mailed'), tokens.issue('bob@example.com', 'proven')]) {
      const given = await devices.tokenByMail(sent, key);
      assert.notEqual(given, sent);
      assert.equal((await devices.find(given, key))?.budget, 'mailed');
    }
  });

  it('keep the token that says since when they have shown the second factor, for half its time', async () => {
    const own = issue();
    pass(200);
    assert.equal(await devices.tokenAfter(own, key, 'proven'), own);
    pass();
    const anew = await devices.tokenAfter(own, key, 'proven');
    assert.notEqual(anew, own);
    assert.deepEqual(tokens.read(anew, key)?.issuedAt, now());
  });

  it('are spared for what they had shown before, though somebody signs in from there until then', async () => {
    const own = issue();
    pass();
    const provenUntil = now();
    pass();
    const after = await devices.tokenAfter(own, key, 'proven');
    const stranger = await devices.tokenAfter(undefined, key, 'proven');
    pass();
    await devices.forget(key, session, { provenUntil });
    assert.deepEqual(await known(after, stranger), [true, false]);
  });

  it('have another token where they are only spared, or have shown less until then, or now', async () => {
    const renewed = async (sent: string | undefined, by: KnownBy): Promise<void> => {
      const given = await devices.tokenAfter(sent, key, by);
      assert.notEqual(given, sent);
      const { budget, issuedAt } = tokens.read(given, key) ?? assert.fail();
      assert.deepEqual([budget, issuedAt], [by, now()]);
    };
    const own = issue();
    for (const sent of [undefined, issue('mailed'), issue('known'), tokens.issue('bob@example.com', 'proven')])
      await renewed(sent, 'proven');
    await renewed(own, 'known');
    pass();
    await devices.forget(key, session, { provenUntil: now() });
    assert.deepEqual(await known(own), [true]);
    await renewed(own, 'proven');
    const anew = await devices.tokenAfter(own, key, 'proven');
    await devices.confirm(key);
    await renewed(own, 'proven');
    assert.deepEqual(await known(own, anew), [false, true]);
    pass();
    assert.equal(await devices.tokenAfter(anew, key, 'proven'), anew, 'and that is kept');
  });

  it('are remembered for as long as there is a token', async () => {
    const token = issue();
    pass();
    await devices.forget(key, session);
    pass(399);
    await devices.forgetOld();
    assert.deepEqual(await known(token), [false]);
    pass(3);
    await devices.forgetOld();
    assert.equal(await client.db(name).collection('strange-devices').countDocuments({}), 0);
    assert.deepEqual(await known(token), [false], 'too old by now');
  });
});
