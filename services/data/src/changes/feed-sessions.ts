import type { RevocationList } from '@causeway/service';

import type { Feed } from './feed.ts';

/** What decides whether a token may still be listened with. */
export interface SessionsOptions {
  /** Whether a token has ended before it expired; rejected where nobody knows. */
  readonly isRevoked: RevocationList['isRevoked'];
  /** Milliseconds since 1970. */
  readonly now?: (() => number) | undefined;
}

/** Ends those feeds whose token has expired, or whose session has ended, or is no longer known of. */
export function endWithSessions(feeds: Iterable<Feed>, { isRevoked, now = Date.now }: SessionsOptions): void {
  const nowMs = now();
  for (const feed of feeds) {
    const { token } = feed;
    if (token === undefined) continue;
    if (token.exp * 1_000 <= nowMs) feed.end('end', 'token-expired');
    else endWithSession(feed, isRevoked(token));
  }
}

function endWithSession(feed: Feed, isRevoked: ReturnType<SessionsOptions['isRevoked']>): void {
  const judge = (itIs: boolean): void => {
    if (itIs) feed.end('end', 'session-ended');
  };
  if (typeof isRevoked === 'boolean') judge(isRevoked);
  // Nobody says whether it may go on: it may not.
  else isRevoked.then(judge, () => feed.end('end', 'unsure'));
}
