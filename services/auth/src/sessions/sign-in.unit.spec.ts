import { Fault } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { Credentials } from '../accounts/account.model.ts';
import { createSignIn } from './sign-in.ts';
import type { SignInDependencies } from './sign-in.ts';

const account = { _id: 'usr_1', roles: ['member'], passwordHash: 'hash' } as unknown as Credentials;

describe('signing in beside an erasure', () => {
  it('ends the session that it has begun where the account has gone meanwhile, and says no more than of a wrong password', async () => {
    const ended: string[] = [];
    const signIn = createSignIn({
      accounts: { byEmail: () => Promise.resolve(account), byId: () => Promise.resolve(undefined) },
      passwords: { matches: () => Promise.resolve(true) },
      renewHash: () => Promise.reject(new Error('no hash is made')),
      startSession: () => Promise.resolve({ document: { _id: 'ses_1' }, event: { id: 'e1' } } as never),
      endSession: (_cause, { sessionId }) => Promise.resolve(ended.push(sessionId).toString()),
      sessionTokens: () => Promise.reject(new Error('no token is made')),
    } satisfies SignInDependencies);
    const cause = { correlationId: 'c', principal: { type: 'system' } } as const;
    const command = { email: { address: 'a@example.com', key: 'a@example.com' }, password: 'p', device: {} };
    await assert.rejects(
      signIn(cause, command),
      (error) => error instanceof Fault && error.code === 'invalid-credentials',
    );
    assert.deepEqual(ended, ['ses_1']);
  });
});
