import { checkRead, sessionEnded, topicOf } from '@causeway/contracts';
import { fromBinary, type KafkaPort } from '@causeway/events';
import type { RevocationList } from '@causeway/service';
import type { Logger } from '@causeway/telemetry';

/** What the follower is made of. */
export interface FollowOptions {
  readonly kafka: Pick<KafkaPort, 'readAll'>;
  readonly revocations: Pick<RevocationList, 'learn'>;
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
 * and when it ended while Redis was away. Each gateway reads for itself, without a group, from as far back as a token can
 * still be in date.
 *
 * @param options - Kafka, and the list that is to know
 */
export const followEndedSessions = async (options: FollowOptions): Promise<EndedSessions> => {
  const { kafka, revocations, logger, now = Date.now } = options;
  const caughtUp = Promise.withResolvers<boolean>();
  let complained = false;
  const reader = await kafka.readAll(topicOf('auth'), {
    from: { sinceMs: now() - tokenLifetimeMs - clockSkewMs },
    onRecord: ({ headers, value }) => {
      if (headers.ce_type !== sessionEnded.type) return;
      try {
        const { data, time } = checkRead(sessionEnded, fromBinary(headers, value));
        revocations.learn(data.sessionId, Date.parse(time) + tokenLifetimeMs + clockSkewMs);
      } catch (error) {
        // One that cannot be read must not hide those after it.
        logger.error({ error, eventId: headers.ce_id }, 'the end of a session cannot be read');
      }
    },
    onCaughtUp: () => caughtUp.resolve(true),
    onError: (error) => {
      // It goes on trying by itself; once an outage is enough to be said.
      if (!complained) logger.warn({ error }, 'following ended sessions is interrupted');
      complained = true;
    },
  });
  return {
    caughtUp: (withinMs) => {
      const timer = setTimeout(() => late.resolve(false), withinMs);
      const late = Promise.withResolvers<boolean>();
      return Promise.race([caughtUp.promise, late.promise]).finally(() => clearTimeout(timer));
    },
    close: () => reader.close(),
  };
};
