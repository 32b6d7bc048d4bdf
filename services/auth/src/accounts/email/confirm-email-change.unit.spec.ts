import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Fault } from '@causeway/contracts';

import type { AccountDocument } from '../account.model.ts';
import { createConfirmEmailChange } from './confirm-email-change.ts';
import type { ConfirmEmailChangeDependencies } from './confirm-email-change.ts';

const cause = { correlationId: 'c', principal: { type: 'system' } } as const;

void describe('a change of address', () => {
  const proof = { accountId: 'usr_1', email: 'new@example.com', emailKey: 'new@example.com' };
  /** What becomes of the account where its row is as given by the time of the write. */
  const confirmed = (current: Partial<AccountDocument>): Promise<unknown> => {
    const address = { email: 'old@example.com', emailKey: 'old@example.com', emailVerified: true };
    const row = { _id: proof.accountId, ...address, roles: ['member'], ...current };
    const dependencies = {
      useProof: {
        peek: () => Promise.resolve(proof),
        use: () => Promise.resolve({ proof, event: 'evt' }),
      },
      // The password was right when it was looked at.
      demandOwner: () => Promise.resolve('hash of the password that was shown'),
      accounts: {
        update(_cause: unknown, _id: string, decide: (account: AccountDocument) => unknown) {
          decide(row as AccountDocument);
          return Promise.reject(new Error('written'));
        },
      },
      transaction: (work: (session: never) => Promise<unknown>) => work(undefined as never),
      now: () => new Date(),
    } as unknown as ConfirmEmailChangeDependencies;
    const command = { token: 'cwp', password: 'shown', ip: undefined, callerId: undefined } as never;
    return createConfirmEmailChange(dependencies)(cause, command);
  };
  const isFault = (code: string) => (error: unknown) => error instanceof Fault && error.code === code;

  it('is made where the password that was shown is the account’s still', async () => {
    await assert.rejects(confirmed({ passwordHash: 'hash of the password that was shown' }), /written/);
  });

  it('is refused where another was set meanwhile, or none is left: whoever knew it may have lost the account', async () => {
    await assert.rejects(confirmed({ passwordHash: 'hash of another' }), isFault('invalid-credentials'));
    await assert.rejects(confirmed({}), isFault('invalid-credentials'));
  });

  it('is refused where the account was disabled meanwhile', async () => {
    const disabled = { passwordHash: 'hash of the password that was shown', disabledAt: new Date() };
    await assert.rejects(confirmed(disabled), isFault('account-disabled'));
  });
});
