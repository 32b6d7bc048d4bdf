import { createHash, randomBytes } from 'node:crypto';

import type { ClientSession, Db } from 'mongodb';

/** What a ticket is for: one for one thing opens no other. */
export type TicketPurpose = 'mfa';

/** What is remembered between the first step of something and the next. */
export interface TicketFacts {
  readonly purpose: TicketPurpose;
  readonly accountId: string;
  /** The account's `accessVersion` at the first step: where it has changed since, what is begun is over at once. */
  readonly accountVersion: number;
  /** How the first step was taken, and what was proved by it. */
  readonly method: string;
  readonly amr: readonly string[];
}

/** What is remembered of a passkey's ceremony while the authenticator is asked. */
export interface Ceremony {
  readonly purpose: 'register-passkey' | 'use-passkey';
  /** Undefined where whoever has a passkey is still unknown. */
  readonly accountId?: string | undefined;
  /** Base64url: what the authenticator is to sign. */
  readonly challenge: string;
}

/** A ticket as it is stored. It carries no events: nothing has happened yet. */
export interface Ticket extends TicketFacts {
  /** SHA-256 of the token, which is enough for 256 random bits. */
  readonly _id: string;
  readonly expiresAt: Date;
}

/** Tickets: opaque, for some minutes, used once. */
export interface Tickets {
  ensureIndexes(): Promise<unknown>;
  /**
   * @param session - of the transaction that the first step was taken in
   * @returns the token, which is stored nowhere
   */
  issue(facts: TicketFacts, session?: ClientSession): Promise<string>;
  /** @returns undefined where there is no such ticket, or it is over */
  read(purpose: TicketPurpose, token: string): Promise<Ticket | undefined>;
  /**
   * Uses a ticket up: of any number at once one does.
   *
   * @param session - of the transaction of what it opens
   * @returns whether it was there
   */
  use(ticket: Ticket, session: ClientSession): Promise<boolean>;
  /** @returns the token of a ceremony that begins */
  begin(ceremony: Ceremony): Promise<string>;
  /** Uses a ceremony up, whatever comes of it: one challenge is one try. */
  take(purpose: Ceremony['purpose'], token: string): Promise<Ceremony | undefined>;
  /** Forgets what is over. */
  forgetExpired(): Promise<void>;
  /**
   * Forgets all of an account.
   *
   * @param session - of the transaction that takes the account from whoever has begun something
   */
  forgetOf(accountId: string, session?: ClientSession): Promise<number>;
}

/** Long enough to find the telephone. */
export const ticketMs = 10 * 60_000;

/** Long enough to find the key, and short enough for nobody else to find the page. */
export const ceremonyMs = 5 * 60_000;

/** The prefix is for tools that search for leaked secrets, and tells an access token from it at a glance. */
const form = /^cwm_[\w-]{43}$/;
const ceremonyForm = /^cwc_[\w-]{43}$/;

const idOf = (token: string): string => createHash('sha256').update(token).digest('base64url');

/** @param given - this service's database, and the time */
export function createTickets({ db, now }: { readonly db: Db; readonly now: () => Date }): Tickets {
  const tickets = db.collection<Ticket>('tickets');
  const ceremonies = db.collection<Ceremony & Pick<Ticket, '_id' | 'expiresAt'>>('tickets');
  return {
    ensureIndexes: () =>
      tickets.createIndexes([
        { key: { expiresAt: 1 }, name: 'expiry' },
        { key: { accountId: 1 }, name: 'of-account' },
      ]),
    async issue(facts, session) {
      const token = `cwm_${randomBytes(32).toString('base64url')}`;
      const ticket = { _id: idOf(token), ...facts, expiresAt: new Date(now().getTime() + ticketMs) };
      await tickets.insertOne(ticket, session === undefined ? {} : { session });
      return token;
    },
    async read(purpose, token) {
      if (!form.test(token)) return undefined;
      return (await tickets.findOne({ _id: idOf(token), purpose, expiresAt: { $gt: now() } })) ?? undefined;
    },
    async use({ _id }, session) {
      const { deletedCount } = await tickets.deleteOne({ _id, expiresAt: { $gt: now() } }, { session });
      return deletedCount === 1;
    },
    async begin({ purpose, accountId, challenge }) {
      const token = `cwc_${randomBytes(32).toString('base64url')}`;
      const row = { _id: idOf(token), purpose, challenge, expiresAt: new Date(now().getTime() + ceremonyMs) };
      await ceremonies.insertOne({ ...row, ...(accountId !== undefined && { accountId }) });
      return token;
    },
    async take(purpose, token) {
      if (!ceremonyForm.test(token)) return undefined;
      return (await ceremonies.findOneAndDelete({ _id: idOf(token), purpose, expiresAt: { $gt: now() } })) ?? undefined;
    },
    forgetExpired: async () => {
      await tickets.deleteMany({ expiresAt: { $lte: now() } });
    },
    forgetOf: async (accountId, session) =>
      (await tickets.deleteMany({ accountId }, session === undefined ? {} : { session })).deletedCount,
  };
}
