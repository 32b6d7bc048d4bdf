import type { EventOf, sessionEnded } from '@causeway/contracts';

/** The longest that a token of an ended session may still be in date: five minutes, and one for clocks that differ. */
const tokensOutliveMs = 6 * 60_000;

/**
 * Refuses the tokens of a session that has ended. Redis tells it sooner, and to every replica; this is for when Redis is away.
 *
 * @param revocations - of this process
 * @returns a handler
 */
export const learnEndedSession =
  (revocations: { learn(sessionId: string, untilMs: number): void }) =>
  ({ data, time }: EventOf<typeof sessionEnded>): Promise<void> => {
    revocations.learn(data.sessionId, Date.parse(time) + tokensOutliveMs);
    return Promise.resolve();
  };
