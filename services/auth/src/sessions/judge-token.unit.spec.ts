import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';

import { createRefreshTokens, hashRefreshToken } from '../tokens/refresh-token.ts';
import { createJudgeToken } from './judge-token.ts';
import type { SessionDocument } from './session.model.ts';

describe('a refresh token that comes back', () => {
  const secret = randomBytes(32);
  const tokens = createRefreshTokens(secret);
  const judge = createJudgeToken(tokens);
  const at = new Date('2026-01-01T00:00:10Z');
  const source = { sessionId: 'ses_01JZZZZZZZZZZZZZZZZZZZZZZZ', seed: randomBytes(32).toString('base64url') };
  const tokenOf = (generation: number, seed = source.seed): string => tokens.issue({ ...source, seed, generation });
  const session = {
    ...{ _id: source.sessionId, seed: source.seed, generation: 3, refreshHash: hashRefreshToken(tokenOf(3)) },
    ...{ rotatedAt: new Date('2026-01-01T00:00:00Z'), expiresAt: new Date('2026-02-01T00:00:00Z') },
  } as unknown as SessionDocument;

  it('is taken where it is the current one, and repeated where it was that until just now', () => {
    assert.equal(judge(session, tokenOf(3), 3, at), 'rotate');
    assert.equal(judge(session, tokenOf(2), 2, at), 'repeat');
    assert.equal(judge(session, tokenOf(1), 1, at), 'reused');
  });

  it('is refused, and ends nothing, where it is not genuine, of whichever generation', () => {
    for (const generation of [1, 2, 3]) {
      const forged = tokenOf(generation, randomBytes(32).toString('base64url'));
      assert.equal(judge(session, forged, generation, at), 'refuse', String(generation));
      assert.equal(judge(session, tokenOf(generation + 1), generation, at), 'refuse', String(generation));
    }
  });

  it('is refused as the current one where it is not what was stored, whoever has the secret', () => {
    const other = { ...session, refreshHash: hashRefreshToken(tokenOf(4)) };
    assert.equal(judge(other, tokenOf(3), 3, at), 'refuse');
  });
});
