import type { Cause } from '@causeway/contracts';
import type { ClientSession } from 'mongodb';

import type { AccountDocument } from '../accounts/account.model.ts';
import { timeInWords } from '../mail/time-in-words.ts';
import type { OpenProof } from '../proofs/open-proof.ts';
import type { FactorsBefore } from '../proofs/proof.model.ts';
import type { DemandFewAdded } from './addition-rate.ts';
import { deviceOfSession } from './device-of-session.ts';
import type { FactorDocument } from './factor.model.ts';
import { factorInWords } from './factor-words.ts';

/** What {@link createOfferUndo} is given. */
export interface OfferUndoDependencies {
  readonly sessions: Parameters<typeof deviceOfSession>[0];
  readonly openProof: OpenProof;
  readonly demandFewAdded: DemandFewAdded;
  /** Where clients reach the platform. */
  readonly publicUrl: string;
  readonly now: () => Date;
}

/** A second factor that was added. */
export interface AddedFactor {
  readonly factor: Pick<FactorDocument, 'kind'>;
  /** The active factors that the account had until then. */
  readonly before: readonly FactorDocument[];
  readonly account: Pick<AccountDocument, '_id' | 'email' | 'emailKey' | 'emailVerified'>;
  /** Of whoever has added it. */
  readonly sessionId: string;
}

/**
 * Has the account's owner told of a second factor that was added, by a mail whose link takes it back; in the transaction of the addition, so
 * that it goes to the address of that moment, and says what there was before. To an address that nobody has verified nothing is written: whoever
 * signs up with somebody's has no mail sent there by adding factors.
 *
 * @returns the id of the event; undefined where nothing is mailed
 * @throws fault `too-many-factors` where as many mails of this are on their way as there may be in an hour: none is added untold
 */
export type OfferUndo = (cause: Cause, added: AddedFactor, session: ClientSession) => Promise<string | undefined>;

/** What there was, as the link has to know it. */
const factsOf = (before: readonly FactorDocument[]): FactorsBefore => {
  const codes = before.find(({ kind }) => kind === 'recovery-codes');
  return {
    factorIds: before.filter(({ kind }) => kind !== 'recovery-codes').map(({ _id }) => _id),
    ...(codes !== undefined && { codesAt: codes.codesAt ?? codes.createdAt }),
  };
};

/** Makes it. */
export const createOfferUndo =
  ({ sessions, openProof, demandFewAdded, publicUrl, now }: OfferUndoDependencies): OfferUndo =>
  async (cause, { factor, before, account, sessionId }, session) => {
    if (!account.emailVerified) return undefined;
    await demandFewAdded(account._id, session);
    const told = {
      ...{ factor: factorInWords(factor.kind), addedAt: timeInWords(now()) },
      device: await deviceOfSession(sessions, sessionId, session),
      securityPage: `${publicUrl}/account/security`,
    };
    const email = { address: account.email, key: account.emailKey };
    const request = { kind: 'undo-factor', email, accountId: account._id, told, before: factsOf(before) } as const;
    return (await openProof(cause, request, session)).event;
  };
