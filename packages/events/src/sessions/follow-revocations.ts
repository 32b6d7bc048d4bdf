import { accountDeleted, accountUpdated, checkRead, isRedacted, sessionEnded, topicOf } from '@causeway/contracts';
import type { EventEnvelope } from '@causeway/contracts';
import type { Logger } from '@causeway/telemetry';
import { setTimeout as delay } from 'node:timers/promises';

import { fromBinary } from '../envelope/binary-mode.ts';
import type { FetchedRecord, KafkaPort, KafkaReader } from '../kafka/port.ts';

/** The end of tokens before they expire: of a session, or of an account's below a version; as `@causeway/service` has it. */
type Ending =
  | { readonly sid: string; readonly untilMs: number }
  | { readonly sub: string; readonly below: number; readonly untilMs: number };

/** What the follower is made of. */
export interface FollowOptions {
  readonly kafka: Pick<KafkaPort, 'readAll'>;
  /** Of `@causeway/service`: refuses tokens until a time in milliseconds since 1970. */
  readonly revocations: { learn(ending: Ending): void };
  readonly logger: Logger;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** A follower of the events by which tokens end. */
export interface RevocationFollower {
  /** Resolves when all that had ended before is known; false where that took too long, for it comes later then. */
  caughtUp(withinMs: number): Promise<boolean>;
  close(): Promise<void>;
}

/** How long an access token lives (docs/architecture.md, "Identity"). */
const tokenLifetimeMs = 5 * 60_000;
/** Between the clocks of two machines. */
const clockSkewMs = 60_000;

const isAbout: ReadonlySet<unknown> = new Set([sessionEnded.type, accountUpdated.type, accountDeleted.type]);

/** @returns undefined where no token has ended */
const endingOf = (event: EventEnvelope): Ending | undefined => {
  const untilMs = Date.parse(event.time) + tokenLifetimeMs + clockSkewMs;
  switch (event.type) {
    case sessionEnded.type:
      return { sid: checkRead(sessionEnded, event).data.sessionId, untilMs };
    case accountDeleted.type:
      return { sub: checkRead(accountDeleted, event).data.accountId, below: Number.MAX_SAFE_INTEGER, untilMs };
    case accountUpdated.type: {
      const { accountId, accessVersion: below } = checkRead(accountUpdated, event).data;
      return below === undefined ? undefined : { sub: accountId, below, untilMs };
    }
    default:
      return undefined;
  }
};

/**
 * Learns from auth's events which tokens have ended, beside Redis: a session that is over stays over, and an account's tokens of before a
 * change stay refused, when it happened while Redis was away. Each replica of each service reads for itself, without a group, from as far
 * back as a token can still be in date.
 *
 * @param options - Kafka, and the list that is to know
 */
export const followRevocations = (options: FollowOptions): RevocationFollower => {
  const { kafka, revocations, logger, now = Date.now } = options;
  const caughtUp = Promise.withResolvers<boolean>();
  const closing = new AbortController();
  let complained = false;

  const complain = (error: unknown): void => {
    // It goes on trying by itself; once an outage is enough to be said.
    if (!complained) logger.warn({ error }, 'following revocations is interrupted');
    complained = true;
  };

  const learn = ({ headers, value }: FetchedRecord): void => {
    if (!isAbout.has(headers.ce_type)) return;
    try {
      const event = fromBinary(headers, value);
      // Of somebody who was erased: published again from the log, long after the last token has expired.
      if (isRedacted(event)) return;
      const ending = endingOf(event);
      if (ending !== undefined) revocations.learn(ending);
    } catch (error) {
      // One that cannot be read must not hide those after it.
      logger.error({ error, eventId: headers.ce_id }, 'a revocation cannot be read');
    }
  };

  const follow = (): Promise<KafkaReader> =>
    kafka.readAll(topicOf('auth'), {
      from: { sinceMs: now() - tokenLifetimeMs - clockSkewMs },
      signal: closing.signal,
      onRecord: learn,
      onCaughtUp: () => caughtUp.resolve(true),
      onError: complain,
    });

  /** Where auth has never been started its topic is not there yet: it is asked for again until it is. */
  const open = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      try {
        await follow();
        return;
      } catch (error) {
        complain(error);
        await delay(500 + Math.random() * 500, undefined, { signal: closing.signal }).catch(() => undefined);
      }
    }
  };
  const opening = open();

  return {
    caughtUp: (withinMs) => {
      const late = Promise.withResolvers<boolean>();
      const timer = setTimeout(() => late.resolve(false), withinMs);
      return Promise.race([caughtUp.promise, late.promise]).finally(() => clearTimeout(timer));
    },
    async close() {
      closing.abort();
      await opening;
    },
  };
};
