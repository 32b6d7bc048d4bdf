import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { AccountDocument } from '../accounts/account.model.ts';
import { createRenewHash, type RenewHashDependencies } from './renew-hash.ts';

const cause = { correlationId: 'c', principal: { type: 'app_user', id: 'usr_1' } } as const;
const account = { _id: 'usr_1', email: 'a@example.com', emailVerified: false, roles: ['member'], passwordHash: 'old' };

/** An account whose hash is `stored` by the time that it is written. */
const open = (stored: string, hash: () => Promise<string>) => {
  const written: string[] = [];
  const warned: string[] = [];
  const update = async (_cause: unknown, _id: unknown, decide: (current: AccountDocument) => unknown) => {
    const decision = (await decide({ ...account, passwordHash: stored } as unknown as AccountDocument)) as
      { readonly state: { readonly passwordHash: string } } | undefined;
    if (decision === undefined) return { document: account };
    written.push(decision.state.passwordHash);
    return { document: account, event: { id: 'e1' } };
  };
  const renew = createRenewHash({
    accounts: { update } as unknown as RenewHashDependencies['accounts'],
    passwords: { hash, isOutdated: (encoded) => encoded === 'old' },
    logger: { warn: (_fields, message) => void warned.push(message) },
  });
  return { renew, written, warned };
};

void describe('hashing a password anew', () => {
  it('is done where the hash is outdated', async () => {
    const { renew, written } = open('old', () => Promise.resolve('new'));
    assert.deepEqual(await renew(cause, account, 'p'), ['e1']);
    assert.deepEqual(await renew(cause, { ...account, passwordHash: 'of today' }, 'p'), []);
    assert.deepEqual(written, ['new']);
  });

  it('does not bring an old password back that was changed meanwhile', async () => {
    const { renew, written, warned } = open('of another password', () => Promise.resolve('new'));
    assert.deepEqual(await renew(cause, account, 'p'), []);
    assert.deepEqual([written, warned], [[], []]);
  });

  it('keeps nobody out where it fails', async () => {
    const { renew, warned } = open('old', () => Promise.reject(new Error('too many wait')));
    assert.deepEqual(await renew(cause, account, 'p'), []);
    assert.equal(warned.length, 1);
  });
});
