import { Fault } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { Account, Credentials } from '../accounts/account.model.ts';
import { tooManyAttempts } from '../guessing/guessing.errors.ts';
import { createAdmit, createBeginSignIn, createCompleteSignIn } from './complete-sign-in.ts';
import { createSignIn } from './sign-in.ts';

const account = { _id: 'usr_1', roles: ['member'], passwordHash: 'hash', accessVersion: 1, sessionsFrom: 1 };

/** Signs in while the account becomes `current`; gives the ends that it has recorded. */
const signInBeside = async (current: object | undefined) => {
  const ended: string[] = [];
  const never = () => assert.fail('it was gone on');
  const admit = createAdmit({
    accounts: { byId: () => Promise.resolve(current as Account | undefined) },
    endSession: (_cause, { sessionId, reason }) => Promise.resolve(ended.push(`${sessionId} ${reason}`).toString()),
    sessionTokens: never,
  });
  const beginSignIn = createBeginSignIn({
    ...{ tickets: { issue: never }, factorQueries: { activeOf: never }, demandVerified: () => Promise.resolve() },
    startSession: (_cause, { account: { accessVersion: accountVersion } }) =>
      Promise.resolve({ document: { _id: 'ses_1', accountVersion }, event: { id: 'e1' } } as never),
  });
  const completeSignIn = createCompleteSignIn({ beginSignIn, admit });
  const signIn = createSignIn({
    knownDevices: { find: () => Promise.resolve(undefined) },
    guard: { attempt: (_guess, work) => work() },
    accounts: { byEmail: () => Promise.resolve(account as unknown as Credentials) },
    passwords: { matches: () => Promise.resolve(true) },
    ...{ renewHash: never, completeSignIn },
  });
  const cause = { correlationId: 'c', principal: { type: 'system' } } as const;
  const command = { email: { address: 'a@example.com', key: 'a@example.com' }, password: 'p', device: {} };
  await assert.rejects(
    signIn(cause, command),
    (error) => error instanceof Fault && error.code === 'invalid-credentials',
  );
  return ended;
};

describe('signing in beside what ends sessions', () => {
  it('ends the session that it has begun where the account has gone meanwhile, and says no more than of a wrong password', async () => {
    assert.deepEqual(await signInBeside(undefined), ['ses_1 revoked']);
  });

  it('ends it where the password was changed meanwhile', async () => {
    assert.deepEqual(await signInBeside({ ...account, accessVersion: 2, sessionsFrom: 2 }), ['ses_1 revoked']);
  });

  it('ends it where the account was disabled meanwhile', async () => {
    const disabled = { ...account, accessVersion: 2, sessionsFrom: 2, disabledAt: new Date() };
    assert.deepEqual(await signInBeside(disabled), ['ses_1 account-disabled']);
  });

  it('ends it where a second factor was confirmed meanwhile, of which nothing was asked', async () => {
    assert.deepEqual(await signInBeside({ ...account, hasSecondFactor: true }), ['ses_1 revoked']);
  });
});

describe('signing in where there were too many attempts', () => {
  it('looks nothing up and hashes nothing', async () => {
    const never = () => assert.fail('something was looked at');
    const signIn = createSignIn({
      knownDevices: { find: () => Promise.resolve(undefined) },
      guard: { attempt: () => Promise.reject(tooManyAttempts()) },
      accounts: { byEmail: never },
      passwords: { matches: never },
      ...{ renewHash: never, completeSignIn: never },
    });
    const cause = { correlationId: 'c', principal: { type: 'system' } } as const;
    const command = { email: { address: 'a@example.com', key: 'a@example.com' }, password: 'p', device: {} };
    await assert.rejects(
      signIn(cause, command),
      (error) => error instanceof Fault && error.code === 'too-many-attempts',
    );
  });
});
