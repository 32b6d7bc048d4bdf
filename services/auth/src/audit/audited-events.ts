import {
  accountCreated,
  accountDeleted,
  accountUpdated,
  auditRead,
  erasureCompleted,
  erasureRequested,
  erasureStalled,
  factorAdded,
  factorRemoved,
  factorUpdated,
  factorUsed,
  guardCleared,
  guardFailed,
  guardLocked,
  keyringChanged,
  operationsOf,
  proofRequested,
  proofUsed,
  proofWithdrawn,
  reservationExpired,
  sessionEnded,
  sessionReauthenticated,
  sessionStarted,
} from '@causeway/contracts';
import type { DataOf, EventContract, EventData } from '@causeway/contracts';

import { networksOf } from './networks.ts';

/** What the audit keeps of one kind of event. */
export interface Audited {
  readonly contract: EventContract;
  /**
   * Properties of its data that tell nothing of a person but ids: kinds, codes, numbers, times. All others, and whatever a later release
   * adds, are taken for personal, and go when the person is erased.
   */
  readonly facts: readonly string[];
  /** Not kept at all: where nothing says whose it is, no erasure would find it. */
  readonly leftOut?: readonly string[];
  /** Facts that take the place of what is personal where nothing says whose it is, for the same reason. */
  readonly ofNobody?: (data: EventData) => EventData;
  /** Whether somebody was kept from something; left out: no. */
  readonly isRefusal?: (data: EventData) => boolean;
}

const row = <Contract extends EventContract>(
  contract: Contract,
  facts: readonly (keyof DataOf<Contract> & string)[],
  more: Omit<Audited, 'contract' | 'facts'> = {},
): Audited => ({ contract, facts, ...more });

const always = (): boolean => true;

const session = ['sessionId', 'accountId'] as const;
const proof = ['proofId', 'kind', 'accountId'] as const;
const factor = ['factorId', 'accountId', 'kind', 'sessionId'] as const;
const operations = operationsOf('auth');

/**
 * Every security-relevant act. Not among them: refreshes, which are uses of a session that is in the audit; mails; and what only tells that
 * nothing is kept of something any more.
 */
export const auditedEvents: readonly Audited[] = [
  row(accountCreated, ['accountId', 'emailVerified', 'roles']),
  // `reason` is what an administrator writes.
  row(accountUpdated, [
    ...(['accountId', 'emailVerified', 'roles', 'changed'] as const),
    ...(['accessVersion', 'sessionsFrom', 'disabled', 'by'] as const),
  ]),
  row(accountDeleted, ['accountId']),
  row(sessionStarted, [...session, 'method', 'amr', 'acr', 'newDevice']),
  row(sessionReauthenticated, [...session, 'amr', 'acr']),
  row(sessionEnded, [...session, 'reason'], { isRefusal: ({ reason }) => reason === 'refresh-reused' }),
  // Whose address it is, is not known yet.
  row(proofRequested, [...proof, 'expiresAt'], { leftOut: ['email'] }),
  row(proofUsed, proof),
  row(proofWithdrawn, ['proofId', 'kind', 'reason']),
  row(reservationExpired, ['accountId']),
  row(factorAdded, [...factor, 'status']),
  row(factorUsed, [...factor, 'remaining']),
  row(factorUpdated, [...factor, 'changed', 'cameWith'], {
    isRefusal: ({ changed }) => Array.isArray(changed) && changed.includes('suspected'),
  }),
  row(factorRemoved, [...factor, 'reason']),
  row(guardFailed, ['accountId', 'count', 'paths', 'emails', 'from', 'to'], {
    isRefusal: always,
    // Among them is whoever has mistyped their own address: from where, is kept as far as it names nobody.
    ofNobody: ({ addresses }) => ({ networks: networksOf((addresses ?? []) as readonly string[]) }),
  }),
  row(guardLocked, ['accountId'], { isRefusal: always }),
  row(guardCleared, ['accountId', 'by']),
  row(keyringChanged, ['kid', 'change']),
  row(erasureRequested, ['accountId']),
  row(erasureStalled, ['accountId', 'missing']),
  row(erasureCompleted, ['accountId', 'requestedAt', 'services', 'kafkaUntil']),
  row(auditRead, ['what', 'about']),
  // What administrators do about the events that all of this is made of.
  row(operations.redriveRequested, ['redriveId', 'handler', 'scope', 'eventId', 'subject']),
  row(operations.eventDiscarded, ['handler', 'eventId', 'subject']),
  row(operations.replayRequested, ['replayId', 'handlers', 'since', 'external']),
  row(operations.rebuildDecided, ['rebuildId', 'handler', 'decision']),
];

/** By type. */
export const auditedByType: ReadonlyMap<string, Audited> = new Map(
  auditedEvents.map((audited) => [audited.contract.type, audited]),
);
