import { newEventId } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import type { Persons } from '@causeway/events';
import type { ClientSession } from 'mongodb';

import { mostAnHour, mostLinks, windowOf } from './link-quota.ts';
import type { LinkQuota, Quota } from './link-quota.ts';
import type { OpenProof, ProofRequest } from './open-proof.ts';
import type { ProofKind } from './proof-kinds.ts';

const hourMs = 3_600_000;

/** What {@link createRequestProof} is given. */
export interface RequestProofDependencies {
  readonly openProof: OpenProof;
  readonly quota: Pick<LinkQuota, 'take' | 'meet'>;
  readonly lifetimesMs: Readonly<Record<ProofKind, number>>;
  readonly persons: Pick<Persons, 'enter'>;
  readonly transaction: <T>(work: (session: ClientSession) => Promise<T>) => Promise<T>;
}

/** A link that is asked for, and by whom. */
export interface CountedRequest extends ProofRequest {
  /** Whether it is asked for from a device that has been signed in from with this address. */
  readonly isKnownDevice?: boolean;
}

/**
 * Whatever strangers ask for an address is counted for itself, whether or not anybody has it: it tells nothing of its owner, and takes no
 * link from them, neither from devices that are known, nor those that come with the account. What accounts ask for is counted for each of them,
 * so that none keeps another from an address; but no address gets more of all together than of strangers.
 */
const quotasOf = ({ kind, email, accountId, isKnownDevice = false }: CountedRequest, windowMs: number): Quota[] => {
  const few = { places: mostLinks, windowMs };
  if (accountId === undefined) return [{ name: [isKnownDevice ? 'device' : 'anybody', kind, email.key], ...few }];
  return [
    // First its own: an account that has had its links takes no place from an address.
    { name: ['account', kind, accountId], ...few },
    { name: ['owner', kind, email.key], places: mostAnHour, windowMs: hourMs },
  ];
};

/**
 * Has a link mailed to an address. Whether anybody has the address is found out by whoever handles the event, long after the caller was
 * answered: words, headers, steps and time are the same for every address. Links of the same kind that are open are withdrawn: the newest
 * works.
 *
 * @param session - of a transaction that this is to be a part of
 * @returns ids of the events that were recorded; none where the address has had its links
 */
export type RequestProof = (
  cause: Cause,
  request: CountedRequest & {
    /** What it is asked for by, where that may be done again: it takes no second place. */
    readonly by?: string;
  },
  session?: ClientSession,
) => Promise<readonly string[]>;

/** Makes it. */
export const createRequestProof = (dependencies: RequestProofDependencies): RequestProof => {
  const { openProof, quota, lifetimesMs, persons, transaction } = dependencies;
  const request = async (
    cause: Cause,
    { isKnownDevice: _counted, ...command }: CountedRequest,
    quotas: readonly Quota[],
    session: ClientSession,
  ): Promise<readonly string[]> => {
    const { accountId } = command;
    // Nobody who is being erased is written to any more.
    if (accountId !== undefined && !(await persons.enter(accountId, session))) return [];
    await quota.meet(quotas, session);
    return [(await openProof(cause, command, session)).event];
  };
  return async (cause, { by = cause.causationId ?? newEventId(), ...command }, session) => {
    const quotas = quotasOf(command, windowOf(lifetimesMs[command.kind]));
    // A handler that is run again, or by another replica too, asks for the same link.
    if (!(await quota.take(quotas, by))) return [];
    return session === undefined
      ? transaction((own) => request(cause, command, quotas, own))
      : request(cause, command, quotas, session);
  };
};
