import { z } from 'zod';

import { defineEvent } from '../event-contract.ts';

/** Comes when an address that an account has given up may be somebody else's. */
export const reservationExpired = defineEvent({
  type: 'auth.reservation.expired',
  version: 1,
  thing: 'timer',
  description:
    'The time is over in which the change of an e-mail address could be undone: the one before is kept for its account no longer. The address itself is not told.',
  data: { accountId: z.string(), emailKeyHash: z.string() },
});
