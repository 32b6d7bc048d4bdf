import type { AccessClaims, RevocationList } from '@causeway/service';

/** What decides whether a token may still be listened with. */
export interface SessionsOptions {
  /** Whether a token has ended before it expired; rejected where nobody knows. */
  readonly isRevoked: RevocationList['isRevoked'];
  /** Milliseconds since 1970. */
  readonly now?: (() => number) | undefined;
}

/** Whoever listens with a token: a feed, or a socket with many. */
export interface Listener {
  readonly token: AccessClaims | undefined;
  /** Nothing more is told. */
  end(event: 'end', reason: string): void;
}

/** The feeds by what they are listened with, so that a session is asked about once, however many feeds it has. */
export interface FeedSessions {
  add(listener: Listener): void;
  remove(listener: Listener): void;
  /** Ends those feeds whose token has expired, or whose session has ended, or is no longer known of. */
  check(): void;
}

interface Session {
  readonly token: AccessClaims;
  readonly feeds: Set<Listener>;
}

/** Makes it, without feeds. */
export function createFeedSessions({ isRevoked, now = Date.now }: SessionsOptions): FeedSessions {
  const sessions = new Map<string, Session>();
  /** By the second in which their tokens expire: no more of them than tokens live seconds. */
  const expiring = new Map<number, Set<Listener>>();

  const endAll = (feeds: Iterable<Listener>, reason: string): void => {
    for (const each of feeds) each.end('end', reason);
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
    add(listener) {
      const { token } = listener;
      if (token === undefined) return;
      const session = sessions.get(keyOf(token)) ?? { token, feeds: new Set() };
      sessions.set(keyOf(token), session);
      session.feeds.add(listener);
      expiring.set(token.exp, (expiring.get(token.exp) ?? new Set()).add(listener));
    },
    remove(listener) {
      const { token } = listener;
      if (token === undefined) return;
      drop(sessions, keyOf(token), sessions.get(keyOf(token))?.feeds, listener);
      drop(expiring, token.exp, expiring.get(token.exp), listener);
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

function drop<Key>(map: Map<Key, unknown>, key: Key, feeds: Set<Listener> | undefined, listener: Listener): void {
  feeds?.delete(listener);
  if (feeds?.size === 0) map.delete(key);
}
