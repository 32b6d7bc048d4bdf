import { defineFault } from '@causeway/contracts';

/** A ticket that opens nothing: unknown, over, or used; which of them is told to nobody. */
export const ticketInvalid = defineFault({
  code: 'ticket-invalid',
  category: 'not-found',
  title: 'This has taken too long',
  description:
    'The token of a sign-in that is under way is unknown, has expired or was used. Begin again with the first step.',
});
