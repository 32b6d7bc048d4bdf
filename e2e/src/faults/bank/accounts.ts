import { defineEvent } from '@causeway/contracts';
import type { RecordedDocument } from '@causeway/events';
import { z } from 'zod';

/** The services of the bank: each owns a part of the accounts. */
export const branches = ['north', 'south', 'west'] as const;

/** One of {@link branches}. */
export type Branch = (typeof branches)[number];

/** Where an account is. */
const place = z.object({ branch: z.enum(branches), account: z.string() });

/** What every account's event tells: what has moved, and how the account stands now. */
const moved = { transferId: z.string(), from: place, to: place, amount: z.number().int(), balance: z.number().int() };

/** The events of one branch's accounts. */
export const accountEvents = (branch: Branch) => {
  const common = { version: 1, thing: 'account' };
  return {
    opened: defineEvent({
      ...common,
      type: `${branch}.account.opened`,
      description: 'An account was opened.',
      data: { balance: z.number().int() },
    }),
    withdrawn: defineEvent({
      ...common,
      type: `${branch}.account.withdrawn`,
      description: 'Money has left an account, on its way to another.',
      data: moved,
    }),
    deposited: defineEvent({
      ...common,
      type: `${branch}.account.deposited`,
      description: 'Money has arrived at an account.',
      data: moved,
    }),
    confirmed: defineEvent({
      ...common,
      type: `${branch}.account.confirmed`,
      description: 'The branch of the other account has said that the money has arrived.',
      data: moved,
    }),
    receiptDue: defineEvent({
      version: 1,
      thing: 'timer',
      type: `${branch}.receipt.due`,
      description: 'A transfer has been confirmed for a while: its receipt is to be written.',
      data: { transferId: z.string(), account: z.string(), amount: z.number().int() },
    }),
  };
};

/** An account. */
export interface AccountDocument extends RecordedDocument {
  readonly balance: number;
  /** What has left and is not known to have arrived, by transfer. */
  readonly underWay: Readonly<Record<string, number>>;
}

/** What a branch has counted, of an account or of a transfer. */
export interface CountDocument {
  readonly _id: string;
  readonly times: number;
  readonly amount: number;
}

/** Of transfers from this amount on a receipt is written, by a timer. */
export const receiptFrom = 75;

/** The name of the accounts' collection. */
export const accountsCollection = 'accounts';

/** The name of the collection in which each branch copies the balances of all. */
export const balancesCollection = 'balances';

/** The name of the collection in which a branch adds up what has come in and gone out of each account: by a handler of batches. */
export const statementsCollection = 'statements';

/** The name of the collection in which a branch counts each transfer that has arrived elsewhere, in whatever order it hears of them. */
export const talliesCollection = 'tallies';

/** The name of the collection in which a branch adds up its receipts, by account. */
export const receiptsCollection = 'receipts';
