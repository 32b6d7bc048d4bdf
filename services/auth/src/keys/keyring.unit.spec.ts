import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';

import { createMasterKey } from '@causeway/service';

import type { KeyringReading, SigningKey } from './keyring.model.ts';
import { createKeyring } from './keyring.ts';
import type { Keyring } from './keyring.ts';
import { makeSigningKey } from './signing-key.ts';

const at = new Date('2026-01-02T03:04:05Z');
const minuteMs = 60_000;
const vault = createMasterKey('a master key of at least 32 characters', 'auth').vault('signing-keys');

const newKey = async (state: SigningKey['state'] = 'active'): Promise<SigningKey> => ({
  ...(await makeSigningKey(vault)),
  ...{ state, publishedAt: at },
  ...(state === 'active' ? { activatedAt: at } : {}),
});

describe('keyring', () => {
  let keys: SigningKey[];
  let reads: number;
  let isAway: boolean;
  let clockMs: number;
  let keyring: Keyring;

  beforeEach(async () => {
    keys = [await newKey()];
    [reads, isAway, clockMs] = [0, false, 0];
    const read = (): Promise<KeyringReading> => {
      reads += 1;
      return isAway ? Promise.reject(new Error('away')) : Promise.resolve({ keys, at });
    };
    const now = () => new Date(at.getTime() + clockMs);
    keyring = createKeyring({ read, vault, stageMs: 20 * minuteMs, now, monotonicMs: () => clockMs });
    await keyring.refresh();
  });

  const unavailable = { code: 'unavailable', status: 503 };

  it('is read once for all who ask at once, and not before it is a minute old', async () => {
    clockMs = minuteMs;
    await keyring.signingKey(at);
    assert.equal(reads, 1);
    clockMs += 1;
    await Promise.all(Array.from({ length: 20 }, () => keyring.signingKey(at)));
    assert.equal(reads, 2);
  });

  it('signs nothing by what it has read a minute ago, where it cannot read again', async () => {
    isAway = true;
    clockMs = minuteMs;
    assert.equal((await keyring.signingKey(at)).kid, keys[0]!.kid);
    clockMs += 1;
    await assert.rejects(keyring.signingKey(at), unavailable);
    isAway = false;
    assert.equal((await keyring.signingKey(at)).kid, keys[0]!.kid);
  });

  it('publishes what it has read as long as no other key can sign', async () => {
    isAway = true;
    clockMs = 20 * minuteMs;
    assert.deepEqual((await keyring.published()).set, keyring.publicKeys());
    clockMs += 1;
    await assert.rejects(keyring.published(), unavailable);
  });

  it('gives the very same set until a key comes or goes, and another entity tag then', async () => {
    const [set, { etag }] = [keyring.publicKeys(), await keyring.published()];
    keys = [{ ...keys[0]! }];
    await keyring.refresh();
    assert.equal(keyring.publicKeys(), set);
    keys = [...keys, await newKey('published')];
    await keyring.refresh();
    assert.notEqual(keyring.publicKeys(), set);
    assert.notEqual((await keyring.published()).etag, etag);
    assert.equal(keyring.publicKeys().keys.length, 2);
    assert.ok(!JSON.stringify(keyring.publicKeys()).includes('"d"'));
  });

  it('knows for how long it has published a key', async () => {
    clockMs = minuteMs;
    const next = await newKey('published');
    keys = [...keys, next];
    assert.equal(keyring.servedMs(next.kid), 0);
    await keyring.refresh();
    clockMs += minuteMs;
    await keyring.refresh();
    assert.equal(keyring.servedMs(next.kid), minuteMs);
    assert.equal(keyring.servedMs(keys[0]!.kid), 2 * minuteMs);
  });

  it('does not sign with a key whose private half is gone', async () => {
    const { sealed: _, ...retired } = { ...keys[0]!, state: 'retired' as const };
    const later = new Date(at.getTime() + minuteMs);
    keys = [retired, { ...(await newKey()), activatedAt: later }];
    await keyring.refresh();
    assert.equal((await keyring.signingKey(at)).kid, keys[1]!.kid);
  });

  it('keeps what it has where it cannot open what it reads', async () => {
    const kept = keyring.publicKeys();
    const foreign = createMasterKey('another master key of at least 32 characters', 'auth').vault('signing-keys');
    keys = [{ ...keys[0]!, ...(await makeSigningKey(foreign)) }];
    await assert.rejects(keyring.refresh(), /not encrypted under its root key/);
    assert.equal(keyring.publicKeys(), kept);
  });
});
