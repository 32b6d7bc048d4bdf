import { createHash } from 'node:crypto';

import { faults } from '@causeway/contracts';
import type { Vault } from '@causeway/service';
import type { CryptoKey, JSONWebKeySet } from 'jose';

import { keyFor, viewLifeMs } from './keyring-rules.ts';
import type { KeyringReading, SigningKey } from './keyring.model.ts';
import { openSigningKey, publicKeySet } from './signing-key.ts';

/** The public keys, and what tells them from others. */
export interface PublishedKeys {
  readonly set: JSONWebKeySet;
  /** An entity tag. */
  readonly etag: string;
}

/** A key that signs. */
export interface SigningPair {
  readonly kid: string;
  readonly privateKey: CryptoKey;
}

/** The keys as this process knows them. */
export interface Keyring {
  /** Reads them; whoever comes meanwhile gets what is read. */
  refresh(): Promise<KeyringReading>;
  /**
   * @param issuedAt - of the token
   * @throws Fault `unavailable` where they were read too long ago, and cannot be read now: the key may sign no more
   */
  signingKey(issuedAt: Date): Promise<SigningPair>;
  /** As they were read last; the same object until they change. */
  publicKeys(): JSONWebKeySet;
  /** @throws Fault `unavailable` where a key may sign that was not there when they were read last */
  published(): Promise<PublishedKeys>;
  /** How long this process has published a key, in milliseconds. */
  servedMs(kid: string): number;
}

/** What {@link createKeyring} is given. */
export interface KeyringDependencies {
  readonly read: () => Promise<KeyringReading>;
  readonly vault: Vault;
  /** See `KeyringTimes`. */
  readonly stageMs: number;
  readonly now: () => Date;
  /** Milliseconds on a clock that does not jump. */
  readonly monotonicMs?: () => number;
}

interface View extends PublishedKeys {
  readonly keys: readonly SigningKey[];
  readonly privateKeys: ReadonlyMap<string, CryptoKey>;
  /** When, by `now`, each was there first. */
  readonly servedSince: ReadonlyMap<string, number>;
  /** When, by `monotonicMs`, it was begun to read. */
  readonly readMs: number;
}

const tagOf = (set: JSONWebKeySet): string =>
  `"${createHash('sha256').update(JSON.stringify(set)).digest().toString('base64url', 0, 16)}"`;

async function viewOf(reading: KeyringReading, before: View | undefined, dependencies: KeyringDependencies) {
  const { vault, now } = dependencies;
  const { keys } = reading;
  const privateKeys = new Map<string, CryptoKey>();
  for (const { kid, sealed } of keys) {
    if (sealed === undefined) continue;
    privateKeys.set(kid, before?.privateKeys.get(kid) ?? (await openSigningKey(vault, { kid, sealed })));
  }
  const nowMs = now().getTime();
  const servedSince = new Map(keys.map(({ kid }) => [kid, before?.servedSince.get(kid) ?? nowMs]));
  const set = publicKeySet(keys);
  const etag = tagOf(set);
  const published = before?.etag === etag ? { set: before.set, etag } : { set, etag };
  return { keys, privateKeys, servedSince, ...published };
}

/** The keys that access tokens are signed with, kept up to date by whoever calls {@link Keyring.refresh} again and again. */
export function createKeyring(dependencies: KeyringDependencies): Keyring {
  const { read, stageMs, now, monotonicMs = () => performance.now() } = dependencies;
  let view: View | undefined;
  let reading: Promise<KeyringReading> | undefined;

  const readAnew = async (): Promise<KeyringReading> => {
    const readMs = monotonicMs();
    const found = await read();
    view = { ...(await viewOf(found, view, dependencies)), readMs };
    return found;
  };
  const refresh = (): Promise<KeyringReading> =>
    (reading ??= readAnew().finally(() => {
      reading = undefined;
    }));
  const seen = (): View => {
    if (view === undefined) throw new Error('the keyring has not been read yet');
    return view;
  };
  /** What was read a short while ago; older only where MongoDB does not answer, and not older than is allowed. */
  const within = async (lifeMs: number): Promise<View> => {
    const isOlder = (ms: number): boolean => view === undefined || monotonicMs() - view.readMs > ms;
    if (!isOlder(viewLifeMs)) return seen();
    await refresh().catch((cause: unknown) => {
      if (isOlder(lifeMs)) throw faults.unavailable({ retryAfterS: 1, message: 'the keyring cannot be read', cause });
    });
    return seen();
  };

  return {
    refresh,
    async signingKey(issuedAt) {
      const { keys, privateKeys } = await within(viewLifeMs);
      const { kid = '' } =
        keyFor(
          keys.filter((key) => privateKeys.has(key.kid)),
          issuedAt,
        ) ?? {};
      const privateKey = privateKeys.get(kid);
      if (privateKey === undefined) throw new Error('no signing key is active');
      return { kid, privateKey };
    },
    publicKeys: () => seen().set,
    // A key that is not among them has to be published for so long before it signs.
    published: () => within(stageMs),
    servedMs(kid) {
      const from = view?.servedSince.get(kid);
      return from === undefined ? 0 : now().getTime() - from;
    },
  };
}
