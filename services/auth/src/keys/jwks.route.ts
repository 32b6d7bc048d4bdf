import { defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import type { SigningKeys } from './signing-keys.ts';

/** As long as an access token lives: who has the keys of five minutes ago can verify what was signed then. */
const maxAgeS = 300;

const publicKey = z.object({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: z.string(),
  kid: z.string(),
  use: z.literal('sig'),
  alg: z.literal('EdDSA'),
});

/** `GET /.well-known/jwks.json` */
export const jwksRoute = ({ signingKeys }: { readonly signingKeys: SigningKeys }): Route =>
  defineRoute({
    method: 'get',
    path: '/.well-known/jwks.json',
    operationId: 'readPublicKeys',
    tag: 'auth',
    summary: 'The public keys that access tokens are verified with',
    access: 'anonymous',
    responses: {
      200: { description: 'A JSON Web Key Set (RFC 7517).', schema: z.object({ keys: z.array(publicKey) }) },
    },
    handle: () => ({
      status: 200,
      body: signingKeys.publicKeys(),
      headers: { 'Cache-Control': `public, max-age=${maxAgeS}` },
    }),
  });
