import { createIdentity, localKeys } from '@causeway/service';

import type { Ground } from '../feature.ts';
import type { Keys } from '../keys/keys.wiring.ts';
import type { Revocations } from '../revocations/revocations.wiring.ts';
import { createAccessTokens } from './access-token.ts';
import { createRefreshTokens } from './refresh-token.ts';

/** Makes tokens, and knows who comes with one. */
export function createTokens(
  { config, masterKey }: Pick<Ground, 'config' | 'masterKey'>,
  {
    keys: { signingKeys },
    revocations: { revocations },
  }: { readonly keys: Pick<Keys, 'signingKeys'>; readonly revocations: Pick<Revocations, 'revocations'> },
) {
  const rules = { issuer: config.tokenIssuer, audience: config.tokenAudience };
  return {
    refreshTokens: createRefreshTokens(masterKey.derive('refresh-token')),
    accessTokens: createAccessTokens({
      ...rules,
      signingKey: () => signingKeys.active(),
      secret: masterKey.derive('access-token-id'),
    }),
    identity: createIdentity({ ...rules, keys: localKeys(() => signingKeys.publicKeys()), revocations }),
  };
}

/** What {@link createTokens} gives. */
export type TokenMakers = ReturnType<typeof createTokens>;
