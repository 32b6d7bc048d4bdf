import { createIdentity, localKeys } from '@causeway/service';

import type { Ground } from '../feature.ts';
import { createDeviceTokens } from '../guessing/device-token.ts';
import type { Keys } from '../keys/keys.wiring.ts';
import type { Revocations } from '../revocations/revocations.wiring.ts';
import { createAccessTokens } from './access-token.ts';
import { createRefreshTokens } from './refresh-token.ts';

/** Makes tokens, and knows who comes with one. */
export function createTokens(
  { config, masterKey, now }: Pick<Ground, 'config' | 'masterKey' | 'now'>,
  {
    keys: { keyring },
    revocations: { revocations },
  }: { readonly keys: Pick<Keys, 'keyring'>; readonly revocations: Pick<Revocations, 'revocations'> },
) {
  const rules = { issuer: config.tokenIssuer, audience: config.tokenAudience };
  return {
    refreshTokens: createRefreshTokens(masterKey.derive('refresh-token')),
    accessTokens: createAccessTokens({
      ...rules,
      signingKey: (issuedAt) => keyring.signingKey(issuedAt),
      secret: masterKey.derive('access-token-id'),
    }),
    deviceTokens: createDeviceTokens({ secret: masterKey.derive('device-token'), now }),
    identity: createIdentity({ ...rules, keys: localKeys(() => keyring.publicKeys()), revocations }),
  };
}

/** What {@link createTokens} gives. */
export type TokenMakers = ReturnType<typeof createTokens>;
