import { faults } from '@causeway/contracts';
import { parseAfter } from '@causeway/events';

import type { Locate } from '../../queries/asked-query.ts';
import { messageOf } from '../feed-writer.ts';
import type { OpenFeed, Subscriber } from '../open-feed.ts';
import type { Outlet } from './outlet.ts';
import type { Subscribe } from './protocol.ts';
import { createSocketWriter } from './socket-writer.ts';
import { subscriptionExists, tooManySubscriptions } from './socket.errors.ts';

/** What {@link createSubscriptions} is given. */
export interface SubscriptionsOptions {
  readonly openFeed: OpenFeed;
  readonly outlet: Outlet;
  /** Takes a place among those of the caller; gives it back. @throws Fault where they have too many, over all of their sockets */
  readonly hold: () => () => void;
  /** Tells of a subscription that cannot be served. */
  readonly refuse: (id: string, error: unknown) => void;
}

/** The feeds of one socket. */
export interface Subscriptions {
  readonly size: number;
  /** Begins one; whatever comes of it is told to the client. @throws Fault where the id is taken, or there are too many */
  add(asked: Subscribe, subscriber: Subscriber): void;
  /** Ends one. @throws Fault `not-found` where there is none by that id */
  remove(id: string): void;
  /** Ends all, and says why. */
  endAll(reason: string): void;
  /** The socket has gone. Resolves when nothing is left of them. */
  cut(): Promise<void>;
}

/** Of one socket. */
export const mostSubscriptions = 100;

const inMessage: Locate = (part, pointer = '') => ({ pointer: `/${part}${pointer}` });

interface Open {
  readonly end: (reason: string) => void;
  readonly cut: () => void;
  readonly over: Promise<void>;
}

/** Makes those of a socket. */
export function createSubscriptions({ openFeed, outlet, hold, refuse }: SubscriptionsOptions): Subscriptions {
  const open = new Map<string, Open>();

  const run = async (asked: Subscribe, subscriber: Subscriber, own: Running): Promise<void> => {
    const { id, collection, filter, snapshot = false, resume, after } = asked;
    const opened = await openFeed(
      {
        ...{ collection, filter, snapshot, resume, resumePlace: { pointer: '/resume' }, locate: inMessage },
        filterText: filter === undefined ? undefined : JSON.stringify(filter),
        after: parseAfter(after),
      },
      subscriber,
      own.gone,
    );
    try {
      if (own.gone.aborted) return;
      outlet.send(`{"type":"subscribed","id":${JSON.stringify(id)}}`);
      // The socket ends with the token, and all of its feeds with it.
      await opened.begin(own.writer, undefined).over;
    } finally {
      opened.release();
    }
  };

  return {
    get size() {
      return open.size;
    },
    add(asked, subscriber) {
      const { id } = asked;
      if (open.has(id)) throw subscriptionExists();
      if (open.size >= mostSubscriptions) throw tooManySubscriptions();
      const release = hold();
      const ending = new AbortController();
      const writer = createSocketWriter(outlet, id);
      // What has ended has said so: its id may be used for another one at once.
      writer.onEnd(() => {
        ending.abort();
        open.delete(id);
      });
      const over = run(asked, subscriber, { writer, gone: ending.signal })
        .catch((error: unknown) => {
          if (writer.ended) return;
          writer.cut();
          refuse(id, error);
        })
        .finally(release);
      const end = (reason: string): void => writer.end(messageOf({ event: 'end', data: JSON.stringify({ reason }) }));
      open.set(id, { end, cut: () => writer.cut(), over });
    },
    remove(id) {
      const known = open.get(id);
      if (known === undefined) throw faults.notFound();
      known.end('unsubscribed');
    },
    endAll(reason) {
      for (const { end } of open.values()) end(reason);
    },
    async cut() {
      const left = [...open.values()];
      for (const each of left) each.cut();
      await Promise.all(left.map(({ over }) => over));
    },
  };
}

interface Running {
  readonly writer: ReturnType<typeof createSocketWriter>;
  /** Aborted when it has ended. */
  readonly gone: AbortSignal;
}
