import type { RemovalStep } from '@causeway/events';

import type { Feature, Ground } from '../feature.ts';
import { createTickets } from './tickets.ts';
import type { Tickets } from './tickets.ts';

const forgetEveryMs = 60_000;

/** What is remembered between two steps of a sign-in. */
export function createTicketing({ events, now }: Pick<Ground, 'events' | 'now'>) {
  const tickets = createTickets({ db: events.db, now });
  return {
    tickets,
    ensureIndexes: () => tickets.ensureIndexes(),
    jobs: [{ name: 'forget-tickets', everyMs: forgetEveryMs, run: () => tickets.forgetExpired() }],
  } satisfies Feature;
}

/** What {@link createTicketing} gives. */
export type Ticketing = ReturnType<typeof createTicketing>;

/** What is done about the tickets of somebody who is erased. */
export const ticketRemovalSteps = (
  late: () => { readonly ticketing: { readonly tickets: Pick<Tickets, 'forgetOf'> } },
): RemovalStep[] => [
  {
    name: 'forget-tickets',
    run: async ({ personId }) => ({ counts: { tickets: await late().ticketing.tickets.forgetOf(personId) } }),
  },
];
