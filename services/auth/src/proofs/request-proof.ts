import { randomBytes } from 'node:crypto';

import { newEventId, newId } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import type { Persons, RecordedCollection } from '@causeway/events';
import type { ClientSession } from 'mongodb';

import type { EmailAddress } from '../accounts/email-address.ts';
import type { LinkQuota, QuotaName } from './link-quota.ts';
import type { ProofDocument } from './proof.model.ts';
import type { ProofKind } from './proof-kinds.ts';
import { requested } from './proofs.events.ts';
import { withdrawal } from './withdraw-proofs.ts';

/** Of one kind and address there is one that is open; more were never meant to be. */
const mostOpen = 20;

/** What {@link createRequestProof} is given. */
export interface RequestProofDependencies {
  readonly proofs: Pick<RecordedCollection<ProofDocument>, 'create' | 'native' | 'update'>;
  readonly quota: Pick<LinkQuota, 'take' | 'meet'>;
  readonly persons: Pick<Persons, 'enter'>;
  readonly transaction: <T>(work: (session: ClientSession) => Promise<T>) => Promise<T>;
  readonly lifetimesMs: Readonly<Record<ProofKind, number>>;
  readonly now: () => Date;
}

/** Which link, and to whom. */
export interface ProofRequest {
  readonly kind: ProofKind;
  readonly email: EmailAddress;
  /** Whose the address is, where that is known without looking it up: their own account asks. */
  readonly accountId?: string;
}

/**
 * Whatever strangers ask for an address is counted for itself, whether or not anybody has it: it tells nothing of its owner, and takes no
 * link from them, those least that come with the account.
 */
const quotasOf = ({ kind, email, accountId }: ProofRequest): QuotaName[] =>
  accountId === undefined
    ? [['anybody', kind, email.key]]
    : [
        ['owner', kind, email.key],
        ['account', kind, accountId],
      ];

/**
 * Has a link mailed to an address. Whether anybody has the address is found out by whoever handles the event, long after the caller was
 * answered: words, headers, steps and time are the same for every address. Links of the same kind that are open are withdrawn: the newest
 * works.
 *
 * @param session - of a transaction that this is to be a part of
 * @returns ids of the events that were recorded; none where the address has had its links of this hour
 */
export type RequestProof = (cause: Cause, request: ProofRequest, session?: ClientSession) => Promise<readonly string[]>;

/** Makes it. */
export const createRequestProof = (dependencies: RequestProofDependencies): RequestProof => {
  const { proofs, quota, persons, transaction, lifetimesMs, now } = dependencies;
  const request = async (cause: Cause, command: ProofRequest, session: ClientSession) => {
    const { kind, email, accountId } = command;
    // Nobody who is being erased is written to any more.
    if (accountId !== undefined && !(await persons.enter(accountId, session))) return [];
    await quota.meet(quotasOf(command), session);
    const at = now();
    const ofAddress = { emailKey: email.key, kind, status: 'open' } as const;
    const open = proofs.native.find(ofAddress, { session, projection: { _id: 1 } });
    for (const { _id } of await open.limit(mostOpen).toArray())
      await proofs.update(cause, _id, (proof) => withdrawal(proof, 'superseded', at), { session });
    const _id = newId('prf');
    const state = {
      ...{ kind, email: email.address, emailKey: email.key },
      ...(accountId === undefined ? {} : { accountId }),
      ...{ seed: randomBytes(32).toString('base64url'), status: 'open' as const },
      expiresAt: new Date(at.getTime() + lifetimesMs[kind]),
    };
    const { event } = await proofs.create(cause, { _id, state, event: requested({ _id, ...state }) }, { session });
    return [event.id];
  };
  return async (cause, command, session) => {
    // A handler that is run again, or by another replica too, asks for the same link.
    if (!(await quota.take(quotasOf(command), cause.causationId ?? newEventId()))) return [];
    return session === undefined ? transaction((own) => request(cause, command, own)) : request(cause, command, session);
  };
};
