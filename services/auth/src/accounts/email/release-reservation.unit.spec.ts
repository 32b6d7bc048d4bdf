import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { AccountDocument } from '../account.model.ts';
import { releaseReservation } from './release-reservation.handler.ts';
import type { ReleaseReservationDependencies } from './release-reservation.handler.ts';

void describe('an address that an account has given up', () => {
  /** The addresses that are the account's once the timer of one has come. */
  const after = async (expired: string, kept: readonly string[]): Promise<readonly string[]> => {
    const account = { _id: 'usr_1', email: 'a', emailKey: 'a', emailKeys: ['a', 'b', 'c'], roles: ['member'] };
    let emailKeys: readonly string[] | undefined;
    const dependencies = {
      reservations: { keptOf: () => Promise.resolve([...kept]), hashOf: (key: string) => `hash of ${key}` },
      accounts: {
        update(_cause: unknown, _id: string, decide: (row: AccountDocument) => { state: AccountDocument } | undefined) {
          emailKeys = decide(account as unknown as AccountDocument)?.state.emailKeys;
          return Promise.resolve(undefined);
        },
      },
    } as unknown as ReleaseReservationDependencies;
    interface Handles {
      handle(event: unknown, context: unknown): Promise<void>;
    }
    const handler = releaseReservation(() => dependencies) as unknown as Handles;
    const event = { data: { accountId: account._id, emailKeyHash: `hash of ${expired}` } };
    await handler.handle(event, { cause: {}, session: undefined });
    return emailKeys ?? account.emailKeys;
  };

  it('is anybody’s once its time is over, and no other is', async () => {
    assert.deepEqual(await after('b', []), ['a', 'c']);
    assert.deepEqual(await after('b', ['c']), ['a', 'c']);
  });

  it('stays its own where it was given up once more since then: that has a timer of its own', async () => {
    assert.deepEqual(await after('b', ['b']), ['a', 'b', 'c']);
  });

  it('stays its own where it is the current one again', async () => {
    assert.deepEqual(await after('a', []), ['a', 'b', 'c']);
  });
});
