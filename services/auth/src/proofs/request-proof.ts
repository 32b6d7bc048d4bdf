import { newEventId } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import type { Persons } from '@causeway/events';
import type { ClientSession } from 'mongodb';

import type { LinkQuota, QuotaName } from './link-quota.ts';
import type { OpenProof, ProofRequest } from './open-proof.ts';

/** What {@link createRequestProof} is given. */
export interface RequestProofDependencies {
  readonly openProof: OpenProof;
  readonly quota: Pick<LinkQuota, 'take' | 'meet'>;
  readonly persons: Pick<Persons, 'enter'>;
  readonly transaction: <T>(work: (session: ClientSession) => Promise<T>) => Promise<T>;
}

/**
 * Whatever strangers ask for an address is counted for itself, whether or not anybody has it: it tells nothing of its owner, and takes no
 * link from them, those least that come with the account.
 */
const quotasOf = ({ kind, email, accountId }: ProofRequest): QuotaName[] =>
  accountId === undefined
    ? [['anybody', kind, email.key]]
    : [
        // First its own: an account that has had its links takes no place from an address.
        ['account', kind, accountId],
        ['owner', kind, email.key],
      ];

/**
 * Has a link mailed to an address. Whether anybody has the address is found out by whoever handles the event, long after the caller was
 * answered: words, headers, steps and time are the same for every address. Links of the same kind that are open are withdrawn: the newest
 * works.
 *
 * @param session - of a transaction that this is to be a part of
 * @returns ids of the events that were recorded; none where the address has had its links of this hour
 */
export type RequestProof = (
  cause: Cause,
  request: ProofRequest & {
    /** What it is asked for by, where that may be done again: it takes no second place. */
    readonly by?: string;
  },
  session?: ClientSession,
) => Promise<readonly string[]>;

/** Makes it. */
export const createRequestProof = (dependencies: RequestProofDependencies): RequestProof => {
  const { openProof, quota, persons, transaction } = dependencies;
  const request = async (cause: Cause, command: ProofRequest, session: ClientSession): Promise<readonly string[]> => {
    const { accountId } = command;
    // Nobody who is being erased is written to any more.
    if (accountId !== undefined && !(await persons.enter(accountId, session))) return [];
    await quota.meet(quotasOf(command), session);
    return [(await openProof(cause, command, session)).event];
  };
  return async (cause, { by = cause.causationId ?? newEventId(), ...command }, session) => {
    // A handler that is run again, or by another replica too, asks for the same link.
    if (!(await quota.take(quotasOf(command), by))) return [];
    return session === undefined
      ? transaction((own) => request(cause, command, own))
      : request(cause, command, session);
  };
};
