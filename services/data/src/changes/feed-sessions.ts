import type { AccessClaims, RevocationList } from '@causeway/service';

import type { Feed } from './feed.ts';

/** What decides whether a token may still be listened with. */
export interface SessionsOptions {
  /** Whether a token has ended before it expired; rejected where nobody knows. */
  readonly isRevoked: RevocationList['isRevoked'];
  /** Milliseconds since 1970. */
  readonly now?: (() => number) | undefined;
}

/** The feeds by what they are listened with, so that a session is asked about once, however many feeds it has. */
export interface FeedSessions {
  add(feed: Feed): void;
  remove(feed: Feed): void;
  /** Ends those feeds whose token has expired, or whose session has ended, or is no longer known of. */
  check(): void;
}

interface Session {
  readonly token: AccessClaims;
  readonly feeds: Set<Feed>;
}

/** Makes it, without feeds. */
export function createFeedSessions({ isRevoked, now = Date.now }: SessionsOptions): FeedSessions {
  const sessions = new Map<string, Session>();
  /** By the second in which their tokens expire: no more of them than tokens live seconds. */
  const expiring = new Map<number, Set<Feed>>();

  const endAll = (feeds: Iterable<Feed>, reason: string): void => {
    for (const feed of feeds) feed.end('end', reason);
  };
  const ask = ({ token, feeds }: Session): void => {
    const answer = isRevoked(token);
    const judge = (isOver: boolean): void => {
      if (isOver) endAll(feeds, 'session-ended');
    };
    if (typeof answer === 'boolean') judge(answer);
    // Nobody says whether it may go on: it may not.
    else answer.then(judge, () => endAll(feeds, 'unsure'));
  };

  return {
    add(feed) {
      const { token } = feed;
      if (token === undefined) return;
      const session = sessions.get(keyOf(token)) ?? { token, feeds: new Set() };
      sessions.set(keyOf(token), session);
      session.feeds.add(feed);
      expiring.set(token.exp, (expiring.get(token.exp) ?? new Set()).add(feed));
    },
    remove(feed) {
      const { token } = feed;
      if (token === undefined) return;
      drop(sessions, keyOf(token), sessions.get(keyOf(token))?.feeds, feed);
      drop(expiring, token.exp, expiring.get(token.exp), feed);
    },
    check() {
      const nowMs = now();
      for (const [second, feeds] of expiring) if (second * 1_000 <= nowMs) endAll(feeds, 'token-expired');
      for (const session of sessions.values()) ask(session);
    },
  };
}

/** All that a token is judged by. */
const keyOf = ({ sid, sub, accountVersion }: AccessClaims): string => JSON.stringify([sid, sub, accountVersion]);

function drop<Key>(map: Map<Key, unknown>, key: Key, feeds: Set<Feed> | undefined, feed: Feed): void {
  feeds?.delete(feed);
  if (feeds?.size === 0) map.delete(key);
}
