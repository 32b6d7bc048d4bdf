import { sessionEnded } from '@causeway/contracts';

import { accessTokenLifetimeS } from '../tokens/access-token.ts';
import { revokedUntil } from './end-session.ts';
import type { SessionQueries } from './session.model.ts';

/** A committed change, as far as endings are concerned. */
interface Change {
  readonly id: string;
  readonly event: { readonly type: string; readonly time: string } | undefined;
}

/** What {@link learnEndings} is given. */
export interface LearnEndingsDependencies {
  /** The committed changes of this service's database, by whichever replica. */
  readonly stream: {
    subscribe(listener: (change: Change) => void): unknown;
    onGap(listener: () => void): unknown;
  };
  readonly sessionQueries: Pick<SessionQueries, 'endedSince'>;
  /** Refuses the access tokens of a session, in this process. */
  readonly revocations: { learn(sessionId: string, untilMs: number): void };
  readonly now: () => Date;
  readonly logger: { error(fields: Record<string, unknown>, message: string): void };
}

/**
 * Keeps this process in the know of sessions that have ended, from MongoDB alone: it refuses their tokens without Redis too, and
 * after a restart.
 *
 * @returns when it knows all that have ended so far
 */
export async function learnEndings(dependencies: LearnEndingsDependencies): Promise<void> {
  const { stream, sessionQueries, revocations, now, logger } = dependencies;
  const learn = (sessionId: string, endedAt: Date): void =>
    revocations.learn(sessionId, revokedUntil(endedAt).getTime());
  const load = async (): Promise<void> => {
    // Twice the life of a token: the clocks of those who wrote may differ.
    const since = new Date(now().getTime() - 2 * accessTokenLifetimeS * 1000);
    for await (const session of sessionQueries.endedSince(since)) learn(session._id, session.endedAt);
  };
  stream.subscribe(({ id, event }) => {
    if (event?.type === sessionEnded.type) learn(id, new Date(event.time));
  });
  stream.onGap(() => {
    load().catch((error: unknown) => logger.error({ error }, 'ended sessions could not be read after a gap'));
  });
  await load();
}
