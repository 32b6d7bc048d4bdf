import { reservationExpired } from '@causeway/contracts';
import { onEvent, stateOf } from '@causeway/events';
import type { Handler, RecordedCollection } from '@causeway/events';

import { emailKeysOf } from '../account.model.ts';
import type { AccountDocument } from '../account.model.ts';
import { updated } from '../accounts.events.ts';
import type { Reservations } from './reservations.ts';

/** What {@link releaseReservation} is given, once it runs. */
export interface ReleaseReservationDependencies {
  readonly accounts: Pick<RecordedCollection<AccountDocument>, 'update'>;
  readonly reservations: Pick<Reservations, 'keptOf' | 'hashOf'>;
}

/** An address that an account has given up is anybody's once the change cannot be undone any more. */
export const releaseReservation = (late: () => ReleaseReservationDependencies): Handler =>
  onEvent.transaction({
    name: 'release-reservation',
    on: [reservationExpired],
    async handle({ data: { accountId, emailKeyHash } }, { cause, session }) {
      const { accounts, reservations } = late();
      // Given up once more since then: that has a timer of its own.
      const kept = new Set(await reservations.keptOf(accountId, session));
      await accounts.update(
        cause,
        accountId,
        (current) => {
          const isOver = (key: string): boolean =>
            key !== current.emailKey && !kept.has(key) && reservations.hashOf(key) === emailKeyHash;
          const emailKeys = emailKeysOf(current).filter((key) => !isOver(key));
          if (emailKeys.length === emailKeysOf(current).length) return undefined;
          return { state: { ...stateOf(current), emailKeys }, event: updated(current, ['reservations']) };
        },
        { session },
      );
    },
  });
