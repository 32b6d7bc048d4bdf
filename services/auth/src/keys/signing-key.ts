import type { Vault } from '@causeway/service';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK } from 'jose';
import type { CryptoKey, JSONWebKeySet, JWK } from 'jose';

import type { SigningKey } from './keyring.model.ts';

/** EdDSA (RFC 8037) with Ed25519. */
const algorithm = 'EdDSA';

const placeOf = (kid: string): string => `signing-keys/${kid}`;

/** What there is of a new key before it has a state. */
export type NewKey = Required<Pick<SigningKey, 'kid' | 'publicJwk' | 'sealed'>>;

/** Makes a key. */
export async function makeSigningKey(vault: Vault): Promise<NewKey> {
  const { privateKey } = await generateKeyPair(algorithm, { crv: 'Ed25519', extractable: true });
  const { kty = '', crv = '', x = '', d } = await exportJWK(privateKey);
  const publicJwk = { kty, crv, x };
  const kid = await calculateJwkThumbprint(publicJwk);
  return { kid, publicJwk, sealed: vault.seal(JSON.stringify({ ...publicJwk, d }), placeOf(kid)) };
}

/**
 * @returns the private half
 * @throws Error where it was encrypted under another key
 */
export async function openSigningKey(
  vault: Vault,
  { kid, sealed }: Pick<NewKey, 'kid' | 'sealed'>,
): Promise<CryptoKey> {
  let privateJwk: JWK;
  try {
    privateJwk = JSON.parse(vault.open(sealed, placeOf(kid))) as JWK;
  } catch (error) {
    throw new Error(
      'the signing keys in this database are not encrypted under its root key: one of them is of another database',
      { cause: error },
    );
  }
  return (await importJWK(privateJwk, algorithm)) as CryptoKey;
}

/** The public halves, as they are published (RFC 7517). */
export const publicKeySet = (keys: readonly Pick<SigningKey, 'kid' | 'publicJwk'>[]): JSONWebKeySet => ({
  keys: keys.map(({ kid, publicJwk: { kty, crv, x } }) => ({ kty, crv, x, kid, use: 'sig', alg: algorithm })),
});
