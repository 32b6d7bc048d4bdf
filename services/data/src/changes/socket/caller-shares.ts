import { tooManySubscriptions } from './socket.errors.ts';

/** How many subscriptions each caller has over all sockets of this process. */
export interface CallerShares {
  /** @returns gives it back. @throws Fault `too-many-subscriptions` */
  hold(caller: string): () => void;
}

/** One socket has many feeds, and one caller many sockets: without a bound a few callers would have all feeds that there may be. */
const share = 0.1;

/** @param feedLimit - of all feeds of this process */
export function createCallerShares(feedLimit: number): CallerShares {
  const most = Math.max(1, Math.floor(feedLimit * share));
  const held = new Map<string, number>();
  return {
    hold(caller) {
      const count = held.get(caller) ?? 0;
      if (count >= most) throw tooManySubscriptions();
      held.set(caller, count + 1);
      return () => {
        const left = (held.get(caller) ?? 0) - 1;
        if (left > 0) held.set(caller, left);
        else held.delete(caller);
      };
    },
  };
}
