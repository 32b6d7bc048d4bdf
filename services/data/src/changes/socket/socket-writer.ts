import type { FeedWriter } from '../feed-writer.ts';
import { drainMs, mostUnsentBytes, mostUnsentMessages } from '../feed-writer.ts';
import type { Outlet } from './outlet.ts';
import { framesOf } from './protocol.ts';

/** All subscriptions of a socket together may have so much on its way: one that is behind leaves room to the others. */
export const mostUnsentOfAllBytes = 2 * mostUnsentBytes;

/** Writes the feed of one subscription. */
export interface SocketWriter extends FeedWriter {
  /** The socket has gone. */
  cut(): void;
}

/**
 * Writes a feed into a socket that it shares with others, within the bounds that an event stream has.
 *
 * @param outlet - of the socket
 * @param id - of the subscription
 */
export function createSocketWriter(outlet: Outlet, id: string): SocketWriter {
  let hasEnded = false;
  let unsentMessages = 0;
  let unsentBytes = 0;
  const listeners = new Set<() => void>();

  const isHalfFull = (): boolean =>
    unsentMessages > mostUnsentMessages / 2 ||
    unsentBytes > mostUnsentBytes / 2 ||
    outlet.unsentBytes > mostUnsentOfAllBytes / 2;
  const isFull = (): boolean =>
    unsentMessages >= mostUnsentMessages || unsentBytes > mostUnsentBytes || outlet.unsentBytes > mostUnsentOfAllBytes;
  const finish = (): void => {
    hasEnded = true;
    for (const listener of listeners) queueMicrotask(listener);
    listeners.clear();
  };

  return {
    get ended() {
      return hasEnded;
    },
    write(message, cursor) {
      if (hasEnded) return true;
      if (isFull()) return false;
      const frames = framesOf(id, message, cursor);
      const messages = cursor === undefined ? 0 : 1;
      unsentMessages += messages;
      for (const [index, text] of frames.entries()) {
        const bytes = Buffer.byteLength(text);
        unsentBytes += bytes;
        outlet.send(text, () => {
          unsentBytes -= bytes;
          if (index === frames.length - 1) unsentMessages -= messages;
        });
      }
      return true;
    },
    async drained() {
      if (hasEnded || !isHalfFull()) return true;
      const { promise, resolve } = Promise.withResolvers<boolean>();
      const timer = setTimeout(() => resolve(false), drainMs);
      const look = (): void => {
        if (hasEnded || !isHalfFull()) resolve(true);
      };
      const forget = outlet.onTaken(look);
      listeners.add(look);
      try {
        return await promise;
      } finally {
        clearTimeout(timer);
        listeners.delete(look);
        forget();
      }
    },
    end(message) {
      if (hasEnded) return;
      for (const text of framesOf(id, message, undefined)) outlet.send(text);
      finish();
    },
    cut() {
      if (!hasEnded) finish();
    },
    onEnd(listener) {
      if (hasEnded) listener();
      else listeners.add(listener);
    },
  };
}
