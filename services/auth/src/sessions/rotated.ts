import { stateOf } from '@causeway/events';

import { hashRefreshToken } from '../tokens/refresh-token.ts';
import type { RefreshTokens } from '../tokens/refresh-token.ts';
import type { SessionDocument } from './session.model.ts';
import { sessionExpiry } from './session-rules.ts';
import type { SessionLifetimes } from './session-rules.ts';

/**
 * A session's next state, with a refresh token that has not been used.
 *
 * @param session - as it is
 * @param at - when
 */
export const rotated = (
  session: SessionDocument,
  at: Date,
  {
    refreshTokens,
    lifetimes,
  }: { readonly refreshTokens: Pick<RefreshTokens, 'issue'>; readonly lifetimes: SessionLifetimes },
) => {
  const generation = session.generation + 1;
  const next = refreshTokens.issue({ sessionId: session._id, seed: session.seed, generation });
  return {
    ...stateOf(session),
    generation,
    refreshHash: hashRefreshToken(next),
    rotatedAt: at,
    lastUsedAt: at,
    expiresAt: sessionExpiry(session.createdAt, at, lifetimes),
  };
};
