import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK } from 'jose';
import type { CryptoKey, JSONWebKeySet, JWK } from 'jose';

import type { Vault } from './master-key.ts';
import type { SigningKeyDocument, SigningKeyStore } from './signing-key.model.ts';

/** EdDSA (RFC 8037) with Ed25519. */
const algorithm = 'EdDSA';

/** The keys that access tokens are signed and verified with. */
export interface SigningKeys {
  /** The key that signs now. */
  active(): { readonly kid: string; readonly privateKey: CryptoKey };
  /** The public half of each key that tokens may be signed with (RFC 7517). */
  publicKeys(): JSONWebKeySet;
}

/** What {@link loadSigningKeys} is given. */
export interface SigningKeysDependencies {
  readonly store: SigningKeyStore;
  readonly vault: Vault;
  readonly now: () => Date;
}

const placeOf = (kid: string): string => `signing-keys/${kid}`;

async function makeKey({ vault, now }: SigningKeysDependencies, place: number): Promise<SigningKeyDocument> {
  const { privateKey } = await generateKeyPair(algorithm, { crv: 'Ed25519', extractable: true });
  const { kty = '', crv = '', x = '', d } = await exportJWK(privateKey);
  const publicJwk = { kty, crv, x };
  const kid = await calculateJwkThumbprint(publicJwk);
  return {
    _id: place,
    kid,
    state: 'active',
    publicJwk,
    sealedPrivateJwk: vault.seal(JSON.stringify({ ...publicJwk, d }), placeOf(kid)),
    createdAt: now(),
  };
}

async function openKey(vault: Vault, { kid, sealedPrivateJwk }: SigningKeyDocument): Promise<CryptoKey> {
  let privateJwk: JWK;
  try {
    privateJwk = JSON.parse(vault.open(sealedPrivateJwk, placeOf(kid))) as JWK;
  } catch (error) {
    throw new Error(
      'the signing keys in this database are not encrypted under its root key: one of them is of another database',
      { cause: error },
    );
  }
  return (await importJWK(privateJwk, algorithm)) as CryptoKey;
}

/**
 * Loads the signing keys, and makes the first one where there is none. Replicas that start at once agree on one.
 *
 * @throws Error where the root key is not the one that the keys are encrypted under
 */
export async function loadSigningKeys(dependencies: SigningKeysDependencies): Promise<SigningKeys> {
  const { store, vault } = dependencies;
  let keys = await store.list();
  if (keys.length === 0) {
    await store.insert(await makeKey(dependencies, 1));
    keys = await store.list();
  }
  const newest = keys.find((key) => key.state === 'active');
  if (newest === undefined) throw new Error('no signing key is active: all of them are published or retired');
  const active = { kid: newest.kid, privateKey: await openKey(vault, newest) };
  const publicKeys = {
    keys: keys.map(({ kid, publicJwk: { kty, crv, x } }) => ({ kty, crv, x, kid, use: 'sig', alg: algorithm })),
  };
  return { active: () => active, publicKeys: () => publicKeys };
}
