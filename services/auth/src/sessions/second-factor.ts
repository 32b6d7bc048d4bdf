import type { Cause } from '@causeway/contracts';
import type { ClientSession } from 'mongodb';

import type { OpenSecondProof } from '../factors/open-second-proof.ts';
import type { SecondProof } from '../factors/second-proof.ts';
import type { KnownDevice } from '../guessing/guess.ts';
import type { GuessGuard } from '../guessing/guess-guard.ts';
import type { KnownDevices } from '../guessing/known-devices.ts';
import { ticketInvalid } from '../tickets/tickets.errors.ts';
import type { Ticket, Tickets } from '../tickets/tickets.ts';
import type { Admit, SignedIn } from './complete-sign-in.ts';
import type { OpenTicket } from './open-ticket.ts';
import type { Device, StartSession } from './start-session.ts';

/** What {@link createSecondFactor} is given. */
export interface SecondFactorDependencies {
  readonly guard: Pick<GuessGuard, 'attempt' | 'clear'>;
  readonly knownDevices: Pick<KnownDevices, 'find' | 'confirm'>;
  readonly openTicket: OpenTicket;
  readonly tickets: Pick<Tickets, 'use'>;
  readonly openSecondProof: OpenSecondProof;
  readonly startSession: StartSession;
  readonly admit: Admit;
  readonly transaction: <T>(work: (session: ClientSession) => Promise<T>) => Promise<T>;
}

/** The second proof. */
export interface SecondFactorCommand {
  /** From the first step. */
  readonly mfaToken: string;
  readonly proof: SecondProof;
  readonly device: Device;
  /** What an earlier sign-in from here left. */
  readonly deviceToken?: string | undefined;
}

/** Who reads the owner's mail is not locked out with those who guess: they have the places of one device, whatever links they open. */
const mailedLink: KnownDevice = { name: 'mailed-link', budget: 'mailed' };

/**
 * Signs somebody in who has given a first proof. The code is taken, the token of the first step used up and the session begun in one
 * transaction: of any number at once one gets in.
 *
 * @returns the use case; it throws faults `ticket-invalid`, also where something has ended the account's sessions since the first step,
 *   `invalid-code`, `passkey-invalid`, `too-many-attempts` before a code is looked at, and `invalid-credentials` where the account changes meanwhile
 */
export const createSecondFactor = (dependencies: SecondFactorDependencies) => {
  const { guard, knownDevices, openTicket, tickets, openSecondProof, startSession, admit, transaction } = dependencies;

  const enter = async (cause: Cause, ticket: Ticket, { proof, device }: SecondFactorCommand): Promise<SignedIn> => {
    const { accountId, accountVersion: accessVersion, method } = ticket;
    const take = await openSecondProof(cause, accountId, proof);
    const { document, events } = await transaction(async (session) => {
      // First the ticket: those that come with the same one meet here, and not at the code.
      if (!(await tickets.use(ticket, session))) throw ticketInvalid();
      const taken = await take(cause, session);
      const amr = [...ticket.amr, ...taken.amr, 'mfa'];
      // As of the first step: what has ended sessions since then ends this one too.
      const account = { _id: accountId, accessVersion };
      const started = await startSession(cause, { account, method, amr, device }, { session });
      return { document: started.document, events: [taken.event, started.event.id] };
    });
    return admit(cause, document, events);
  };

  return async (cause: Cause, command: SecondFactorCommand): Promise<SignedIn> => {
    const { ticket, account } = await openTicket(command.mfaToken);
    const own: Cause = { ...cause, principal: { type: 'app_user', id: account._id } };
    const known = await knownDevices.find(command.deviceToken, account.emailKey);
    const devices = [...(known === undefined ? [] : [known]), ...(ticket.amr.includes('link') ? [mailedLink] : [])];
    const guess = { emailKey: account.emailKey, ip: command.device.ip, devices };
    const { proof } = command;
    const entering = (): Promise<SignedIn> => enter(own, ticket, command);
    const entered =
      proof.kind === 'passkey'
        ? await entering()
        : await guard.attempt({ ...guess, path: proof.kind }, entering, () => true);
    // Nobody can guess a passkey: whoever is locked out by guesses of others gets in by it.
    if (proof.kind === 'passkey') await guard.clear(account.emailKey);
    await knownDevices.confirm(account.emailKey);
    return entered;
  };
};
