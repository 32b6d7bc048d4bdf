import { z } from 'zod';

import type { Account } from '../accounts/account.model.ts';
import type { AccessTokens } from '../tokens/access-token.ts';
import type { RefreshTokens } from '../tokens/refresh-token.ts';
import { authenticationOf } from './authentication.ts';
import type { SessionDocument } from './session.model.ts';

/** What a client gets when it has signed in or refreshed (RFC 6749 §5.1, in this API's camel case). */
export const tokensAnswer = z.object({
  accessToken: z.string().meta({ description: 'Five minutes; goes into `Authorization: Bearer`.' }),
  refreshToken: z
    .string()
    .meta({ description: 'To be exchanged once, by `POST /v1/auth/refresh`, for the next pair.' }),
  tokenType: z.literal('Bearer'),
  expiresIn: z.int().meta({ description: 'Seconds until the access token expires.' }),
});

/** The tokens of a session. */
export type Tokens = z.output<typeof tokensAnswer>;

/** What {@link createSessionTokens} is given. */
export interface SessionTokensDependencies {
  readonly accessTokens: AccessTokens;
  readonly refreshTokens: RefreshTokens;
  readonly now: () => Date;
}

/** Gives a session's current pair of tokens: the same one as often as it is asked. */
export type SessionTokens = (
  account: Pick<Account, 'roles' | 'accessVersion'>,
  session: Pick<SessionDocument, '_id' | 'accountId' | 'seed' | 'generation' | 'rotatedAt'> &
    Parameters<typeof authenticationOf>[0],
) => Promise<Tokens>;

/** @returns the maker of pairs */
export const createSessionTokens =
  ({ accessTokens, refreshTokens, now }: SessionTokensDependencies): SessionTokens =>
  async ({ roles, accessVersion: accountVersion }, session) => {
    const { _id: sessionId, accountId, seed, generation, rotatedAt: issuedAt } = session;
    const subject = { accountId, accountVersion, roles, sessionId, generation, issuedAt };
    const access = await accessTokens({ ...subject, ...authenticationOf(session) });
    return {
      accessToken: access.token,
      refreshToken: refreshTokens.issue({ sessionId, seed, generation }),
      tokenType: 'Bearer',
      expiresIn: Math.max(0, access.expiresAtS - Math.floor(now().getTime() / 1000)),
    };
  };

/** Answers with tokens are for nobody else's eyes (RFC 6749 §5.1). */
export const noStore = { 'Cache-Control': 'no-store' } as const;
