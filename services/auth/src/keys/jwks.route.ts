import { faults } from '@causeway/contracts';
import { defineRoute, isNotModified } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import type { Keyring } from './keyring.ts';

/** A key is published for longer than that before it signs: who has the keys of five minutes ago can verify what is signed now. */
const maxAgeS = 300;

/** A cache may answer with what it has while it asks for what is there now. */
const staleS = 60;

const publicKey = z.object({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: z.string(),
  kid: z.string(),
  use: z.literal('sig'),
  alg: z.literal('EdDSA'),
});

/** `GET /.well-known/jwks.json` */
export const jwksRoute = ({ keyring }: { readonly keyring: Pick<Keyring, 'published'> }): Route =>
  defineRoute({
    method: 'get',
    path: '/.well-known/jwks.json',
    operationId: 'readPublicKeys',
    tag: 'auth',
    summary: 'The public keys that access tokens are verified with',
    access: 'anonymous',
    requestHeaders: { 'If-None-Match': { description: 'Answers 304 where it names the current keys.' } },
    responses: {
      200: {
        description:
          'A JSON Web Key Set (RFC 7517): the key that signs now, the next one, and those that have signed what may be valid still.',
        schema: z.object({ keys: z.array(publicKey) }),
        headers: { ETag: { description: 'Changes with the keys.' } },
      },
      304: { description: '`If-None-Match` names the current keys.' },
    },
    faults: [faults.unavailable],
    async handle({ headers }) {
      const { set, etag } = await keyring.published();
      const common = { ETag: etag, 'Cache-Control': `public, max-age=${maxAgeS}, stale-while-revalidate=${staleS}` };
      if (isNotModified(headers['if-none-match'], etag)) return { status: 304, headers: common };
      return { status: 200, headers: common, body: set };
    },
  });
