import type { AccountQueries, Credentials } from '../accounts/account.model.ts';
import { ticketInvalid } from '../tickets/tickets.errors.ts';
import type { Ticket, Tickets } from '../tickets/tickets.ts';
import { whyOver } from './session-admission.ts';

/**
 * Looks at the token of a sign-in that is half done, before anything else is: whatever has ended the account's sessions since its first step has
 * ended it too, and no code is taken for what would be over at once.
 *
 * @throws fault `ticket-invalid`
 */
export type OpenTicket = (mfaToken: string) => Promise<{ readonly ticket: Ticket; readonly account: Credentials }>;

/** Makes it. */
export const createOpenTicket =
  (given: {
    readonly accounts: Pick<AccountQueries, 'credentialsOf'>;
    readonly tickets: Pick<Tickets, 'read'>;
  }): OpenTicket =>
  async (mfaToken) => {
    const ticket = await given.tickets.read('mfa', mfaToken);
    const account = ticket === undefined ? undefined : await given.accounts.credentialsOf(ticket.accountId);
    if (ticket === undefined || account === undefined || whyOver(account, ticket) !== undefined) throw ticketInvalid();
    return { ticket, account };
  };
