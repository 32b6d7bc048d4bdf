// Checks of access tokens in one process: each for the first time, the same again and again, and the signature alone. Told by its
// input, tells by its last line.
import { createPublicKey, verify, type JsonWebKey } from 'node:crypto';
import process from 'node:process';
import { json } from 'node:stream/consumers';
import { testIdentity } from '@causeway/service/testing';
import { countWhile, type Span } from './count-while.ts';

/** Checks a second. */
export interface TokenChecks {
  readonly first: number;
  readonly again: number;
  /** Ed25519 by Node's own crypto, over the same tokens. */
  readonly bare: number;
}

const span = (await json(process.stdin)) as Span;
const { identity, jwks, token } = await testIdentity();
/** More than can be checked in the time, so that each is new. */
const many = Math.ceil(((span.warmUpMs + span.measureMs) / 1000) * 30_000);
const tokens: string[] = [];
for (let index = 0; index < many; index += 1) tokens.push(await token());

const publicKey = createPublicKey({ key: jwks.keys[0] as JsonWebKey, format: 'jwk' });
const signatures = tokens.map((each) => {
  const at = each.lastIndexOf('.');
  return { text: Buffer.from(each.slice(0, at)), signature: Buffer.from(each.slice(at + 1), 'base64url') };
});
let next = 0;
const bare = await countWhile(span, 1, () => {
  const { text, signature } = signatures[next % many] ?? { text: Buffer.alloc(0), signature: Buffer.alloc(0) };
  next += 1;
  if (!verify(null, text, publicKey, signature)) throw new Error('a signature that is good is refused');
  return Promise.resolve();
});
next = 0;
const first = await countWhile(span, 1, async () => {
  if (next >= many) throw new Error('all tokens have been checked once');
  await identity.authenticate(`Bearer ${tokens[next] ?? ''}`);
  next += 1;
});
next = 0;
const again = await countWhile(span, 1, async () => {
  await identity.authenticate(`Bearer ${tokens[next % 100] ?? ''}`);
  next += 1;
});
console.log(JSON.stringify({ first, again, bare } satisfies TokenChecks));
