import { hashRefreshToken } from '../tokens/refresh-token.ts';
import type { RefreshTokens } from '../tokens/refresh-token.ts';
import { decideRefresh } from './session-rules.ts';
import type { RefreshDecision } from './session-rules.ts';
import type { SessionDocument } from './session.model.ts';

/** Says what is to be done about a refresh token of a session, genuine or not. */
export type JudgeToken = (session: SessionDocument, token: string, generation: number, at: Date) => RefreshDecision;

/** @param refreshTokens - knows which are genuine */
export const createJudgeToken =
  (refreshTokens: Pick<RefreshTokens, 'isGenuine'>): JudgeToken =>
  (session, token, generation, at) => {
    const genuine = refreshTokens.isGenuine(token, { sessionId: session._id, seed: session.seed, generation });
    // The stored hash decides about the current token: it holds even if the secret that others are derived under leaks.
    const current = generation !== session.generation || hashRefreshToken(token) === session.refreshHash;
    return genuine && current ? decideRefresh(session, generation, at) : 'refuse';
  };
