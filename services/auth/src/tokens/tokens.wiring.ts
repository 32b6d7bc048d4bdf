import { createIdentity, localKeys } from '@causeway/service';

import type { Ground } from '../feature.ts';
import type { Keys } from '../keys/keys.wiring.ts';
import { createAccessTokens } from './access-token.ts';
import { createRefreshTokens } from './refresh-token.ts';

/** Makes tokens, and knows who comes with one. */
export function createTokens(
  { config, masterKey, revocations }: Pick<Ground, 'config' | 'masterKey' | 'revocations'>,
  { signingKeys }: Pick<Keys, 'signingKeys'>,
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
