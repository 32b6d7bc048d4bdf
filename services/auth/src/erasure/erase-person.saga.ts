import {
  accountDeleted,
  erasureAdvanced,
  erasureCompleted,
  erasureRequested,
  erasureSettled,
  erasureStalled,
  erasureUnanswered,
  eventGoneAfterMs,
  removalOf,
  services,
  tokensExpired,
} from '@causeway/contracts';
import { defineSaga, draft } from '@causeway/events';
import type { RemovalCounts, Saga, SagaDecision } from '@causeway/events';

/** What a service has said when it was done. */
export interface RemovedFrom {
  /** ISO 8601. */
  readonly completedAt: string;
  readonly counts: RemovalCounts;
  /** When Kafka has dropped what it has published. ISO 8601; a replica of an older version does not say. */
  readonly kafkaUntil?: string | undefined;
}

/** How far somebody's erasure is. */
export interface Erasure {
  readonly status: 'removing' | 'settling' | 'stalled' | 'completed';
  readonly accountId: string;
  /** ISO 8601. */
  readonly requestedAt: string;
  readonly services: Readonly<Record<string, RemovedFrom>>;
}

/** How long an erasure waits, and for what. */
export interface ErasureTimes {
  /** Until no token of the person can be valid. */
  readonly settleMs: number;
  /** Until a service that has said nothing is told of. */
  readonly answerMs: number;
}

/** The services that have to say that they are done: all that keep something. */
const answering: readonly string[] = services;

const missingOf = (erasure: Pick<Erasure, 'services'>): string[] =>
  answering.filter((service) => !(service in erasure.services));

const answered = (erasure: Erasure, service: string, removed: RemovedFrom): SagaDecision<Erasure> | undefined => {
  if (service in erasure.services) return undefined;
  const { accountId, requestedAt } = erasure;
  const next: Erasure = { ...erasure, services: { ...erasure.services, [service]: removed } };
  const missing = missingOf(next);
  if (missing.length > 0) return { state: next, event: draft(erasureAdvanced, { accountId, service, missing }) };
  const goneAt = Object.values(next.services).map(({ completedAt, kafkaUntil }) =>
    kafkaUntil === undefined ? Date.parse(completedAt) + eventGoneAfterMs : Date.parse(kafkaUntil),
  );
  const certificate = {
    ...{ accountId, requestedAt },
    services: Object.fromEntries(
      Object.entries(next.services).map(([name, { completedAt, counts }]) => [
        name,
        { completedAt, counts: { ...counts } },
      ]),
    ),
    kafkaUntil: new Date(Math.max(...goneAt)).toISOString(),
  };
  return { state: { ...next, status: 'completed' }, event: draft(erasureCompleted, certificate), ends: true };
};

/**
 * Removes somebody whose account is gone from every service: asks all of them, asks once more when no token can be valid, and ends with
 * the certificate when each has said that it is done. One that says nothing in time is told of, and waited for on.
 */
export const erasePerson = ({ settleMs, answerMs }: ErasureTimes): Saga<Erasure> =>
  defineSaga<Erasure>({
    name: 'erase-person',
    collection: 'erasures',
    thing: 'erasure',
    steps: ({ starts, when, timeout }) => [
      starts(accountDeleted, {
        id: ({ data }) => data.accountId,
        decide: (erasure, { data: { accountId }, time }) =>
          erasure === undefined
            ? {
                state: { status: 'removing', accountId, requestedAt: time, services: {} },
                event: draft(erasureRequested, { accountId }),
                schedule: [
                  { name: 'tokens', data: { accountId }, afterMs: settleMs },
                  { name: 'answers', data: { accountId }, afterMs: settleMs + answerMs },
                ],
              }
            : undefined,
      }),
      timeout('tokens', tokensExpired, (erasure) => ({
        state: { ...erasure, status: 'settling' },
        event: draft(erasureSettled, { accountId: erasure.accountId }),
      })),
      timeout('answers', erasureUnanswered, (erasure) => ({
        state: { ...erasure, status: 'stalled' },
        event: draft(erasureStalled, { accountId: erasure.accountId, missing: missingOf(erasure) }),
      })),
      ...answering.map((service) =>
        when(removalOf(service).removalCompleted, {
          id: ({ data }) => data.accountId,
          decide: (erasure, { data: { counts, kafkaUntil }, time }) =>
            answered(erasure, service, { completedAt: time, counts, ...(kafkaUntil !== undefined && { kafkaUntil }) }),
        }),
      ),
    ],
  });
