import { checkRead, isRedacted, sessionEnded, topicOf } from '@causeway/contracts';
import type { Logger } from '@causeway/telemetry';
import { setTimeout as delay } from 'node:timers/promises';

import { fromBinary } from '../envelope/binary-mode.ts';
import type { FetchedRecord, KafkaPort, KafkaReader } from '../kafka/port.ts';

/** What the follower is made of. */
export interface FollowOptions {
  readonly kafka: Pick<KafkaPort, 'readAll'>;
  /** Of `@causeway/service`: refuses the tokens of a session until a time in milliseconds since 1970. */
  readonly revocations: { learn(sessionId: string, untilMs: number): void };
  readonly logger: Logger;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** A follower of the events of ended sessions. */
export interface EndedSessions {
  /** Resolves when all that had ended before is known; false where that took too long, for it comes later then. */
  caughtUp(withinMs: number): Promise<boolean>;
  close(): Promise<void>;
}

/** How long an access token lives (docs/architecture.md, "Identity"). */
const tokenLifetimeMs = 5 * 60_000;
/** Between the clocks of two machines. */
const clockSkewMs = 60_000;

/**
 * Learns of ended sessions from auth's events, beside Redis: a session that is over stays over when Redis has lost everything,
 * and when it ended while Redis was away. Each replica of each service reads for itself, without a group, from as far back as a token can
 * still be in date.
 *
 * @param options - Kafka, and the list that is to know
 */
export const followEndedSessions = (options: FollowOptions): EndedSessions => {
  const { kafka, revocations, logger, now = Date.now } = options;
  const caughtUp = Promise.withResolvers<boolean>();
  const closing = new AbortController();
  let complained = false;

  const complain = (error: unknown): void => {
    // It goes on trying by itself; once an outage is enough to be said.
    if (!complained) logger.warn({ error }, 'following ended sessions is interrupted');
    complained = true;
  };

  const learn = ({ headers, value }: FetchedRecord): void => {
    if (headers.ce_type !== sessionEnded.type) return;
    try {
      const event = fromBinary(headers, value);
      // Of somebody who was erased: published again from the log, long after the last token has expired.
      if (isRedacted(event)) return;
      const { data, time } = checkRead(sessionEnded, event);
      revocations.learn(data.sessionId, Date.parse(time) + tokenLifetimeMs + clockSkewMs);
    } catch (error) {
      // One that cannot be read must not hide those after it.
      logger.error({ error, eventId: headers.ce_id }, 'the end of a session cannot be read');
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
