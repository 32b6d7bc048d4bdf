import { createHmac } from 'node:crypto';

import { reservationExpired } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import type { Events, RecordedCollection } from '@causeway/events';
import type { ClientSession } from 'mongodb';

import type { OpenProof } from '../../proofs/open-proof.ts';
import type { ProofDocument } from '../../proofs/proof.model.ts';
import type { EmailAddress } from '../email-address.ts';

/** What {@link createReservations} is given. */
export interface ReservationsDependencies {
  readonly events: Pick<Events, 'schedule'>;
  readonly proofs: Pick<RecordedCollection<ProofDocument>, 'native'>;
  readonly openProof: OpenProof;
  /** 32 bytes, the same in every replica: timers tell no address. */
  readonly secret: Uint8Array;
  /** For so long the change of an address can be undone. */
  readonly undoMs: number;
  readonly now: () => Date;
}

/** Addresses that accounts have given up, and may have again for a while: nobody else can sign up with them. */
export interface Reservations {
  /** Keeps an address for its account, and has the link mailed to it by which the change is undone. */
  keep(cause: Cause, accountId: string, email: EmailAddress, session: ClientSession): Promise<void>;
  /** Addresses of the account that a link to undo a change is open for, and that were given up before a time; all where none is given. */
  keptOf(accountId: string, session: ClientSession, before?: Date): Promise<string[]>;
  /** What an address is called in a timer. */
  hashOf(emailKey: string): string;
}

/** Links that are about to be over keep nothing: the timer and they may differ by so much. */
const differenceMs = 60_000;

/** Makes them. */
export function createReservations(dependencies: ReservationsDependencies): Reservations {
  const { events, proofs, openProof, secret, undoMs, now } = dependencies;
  const hashOf = (emailKey: string): string => createHmac('sha256', secret).update(emailKey).digest('base64url');
  return {
    async keep(cause, accountId, email, session) {
      const { proofId } = await openProof(cause, { kind: 'undo-email', email, accountId }, session);
      const data = { accountId, emailKeyHash: hashOf(email.key) };
      const when = { afterMs: undoMs, key: `reservation/${proofId}`, about: `account/${accountId}` };
      await events.schedule(cause, { contract: reservationExpired, data, ...when }, { session });
    },
    async keptOf(accountId, session, before) {
      const open = { accountId, kind: 'undo-email', status: 'open' } as const;
      const later = new Date(now().getTime() + Math.min(differenceMs, undoMs / 2));
      const when = { expiresAt: { $gt: later }, ...(before !== undefined && { createdAt: { $lt: before } }) };
      const found = await proofs.native
        .find({ ...open, ...when }, { session })
        .sort({ createdAt: -1 })
        .toArray();
      return [...new Set(found.map(({ emailKey }) => emailKey))];
    },
    hashOf,
  };
}
