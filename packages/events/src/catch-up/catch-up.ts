import type { EventEnvelope } from '@causeway/contracts';
import { withProcessSpan } from '@causeway/telemetry';

import type { Delivery } from '../consumer/deliver.ts';
import type { Handler } from '../consumer/handler.ts';
import type { ParkLost } from '../consumer/park-lost.ts';
import { createPartitionWork } from '../consumer/partition-work.ts';
import type { RunPlaces, Turn } from '../consumer/run-places.ts';
import { Backoff, settledWithin } from '../kafka/backoff.ts';
import type { PlacedEvent, ProducerLog } from '../log/producer-log.ts';
import type { RelayLogger } from '../relay/relay-metrics.ts';
import type { CatchUpName, CatchUpRows } from './catch-up-rows.ts';
import { lostOnTheWay } from './lost-on-the-way.ts';

/** How {@link startCatchUp} is wired. */
export interface CatchUpOptions {
  readonly handler: Handler;
  readonly name: CatchUpName;
  readonly owner: string;
  /** Where it goes on; 0 where it has not begun, and takes what the log holds by now. */
  readonly pos: number;
  readonly rows: CatchUpRows;
  readonly log: ProducerLog;
  readonly places: RunPlaces;
  readonly deliver: Delivery;
  readonly parkLost: ParkLost;
  /** The end of the one before it, under an earlier assignment. */
  readonly after?: Promise<void> | undefined;
  readonly logger: RelayLogger;
}

/** A new handler on its way through what was published before it was there. */
export interface CatchUp {
  /**
   * Whether what Kafka delivers is for the handler yet. Waits for the moment in which it is about to be: a turn that is ended meanwhile
   * rejects.
   */
  admits(turn: Turn): Promise<boolean>;
  /** Resolves once what is in hand is over; what has been settled is kept. */
  leave(): Promise<void>;
}

const pageEvents = 500;
/** Events and bytes that are in hand or wait. */
const held = { records: 500, bytes: 4 * 1024 * 1024, ahead: 5_000 };
const keepEveryMs = 500;
/** So near to its end, deliveries wait while the rest of the log is gone through; for so long at most, then they pass again. */
const nearEvents = 100;
const joinMs = 5_000;
const lookEveryMs = 20;

/**
 * Gives a handler all that a slot of a producer's log holds, in order, and then what Kafka delivers: in between, nothing is missing and no
 * subject's order is broken. What is delivered meanwhile passes the handler by: the log has it, for it is written before Kafka is. To
 * change over, deliveries to it wait; whatever passed by until then is in the log by now, so once that has been gone through to its end,
 * they go on. What overlaps is dropped by the inbox, or by `sequence`.
 */
export const startCatchUp = (options: CatchUpOptions): CatchUp => {
  const { handler, name, owner, rows, log, deliver, logger } = options;
  const { topic, partition: slot } = name;
  const leaving = new AbortController();
  const { signal } = leaving;
  const isLeaving = (): boolean => signal.aborted;
  const backoff = new Backoff(100, 5_000);
  const takes = new Set(handler.on.map(({ type }) => type));
  /** `passing`: deliveries are not for it; `joining`: they wait; `joined`: they are. */
  let phase: 'passing' | 'joining' | 'joined' = 'passing';
  let next = options.pos;
  let kept = options.pos;

  const work = createPartitionWork({
    start: BigInt(options.pos),
    bounds: held,
    places: options.places,
    after: options.after,
    onProgress: () => undefined,
    onError: (error) =>
      logger.error({ error, ...name }, 'an event could be neither handled nor parked; it is tried again'),
  });

  const run = (event: EventEnvelope, turn: Turn): Promise<void> =>
    withProcessSpan(event, { destination: topic, partition: slot, handler: handler.name, apart: true }, () =>
      deliver(handler, event, turn),
    );

  const accept = async ({ pos, event }: PlacedEvent): Promise<void> => {
    const lane = handler.order === 'ordered' ? event.subject : event.id;
    const tasks = takes.has(event.type) ? [{ lane, run: (turn: Turn) => run(event, turn) }] : [];
    const bytes = tasks.length === 0 ? 0 : Buffer.byteLength(JSON.stringify(event.data));
    await work.accept({ offset: BigInt(pos), event: event.id, bytes }, tasks);
    signal.throwIfAborted();
    next = pos + 1;
  };

  const end = async (): Promise<number> => (await log.extent({ slot })).to;

  /** Where the log begins behind what is next, that is where this begins, or, if it has begun, something is missing. */
  const goOnWith = async (first: PlacedEvent | undefined): Promise<void> => {
    if (next === 0) {
      // From here on it is to have everything, however long it is away.
      const begin = first?.pos ?? 1;
      await rows.note(name, owner, begin);
      next = begin;
    } else if (first !== undefined && first.pos > next) {
      await options.parkLost(`${topic}/${slot}/${handler.name}/${next}`, lostOnTheWay(name, next, first));
      next = first.pos;
    }
  };

  /** Goes on to the log's end, or to a position. */
  const walk = async (to = Infinity): Promise<void> => {
    while (next <= to) {
      signal.throwIfAborted();
      const found = await log.read({ slot, from: Math.max(1, next), limit: pageEvents });
      await goOnWith(found[0]);
      for (const each of found) if (each.pos <= to) await accept(each);
      backoff.reset();
      if (found.length === 0) return;
      if (to === Infinity && found.length < pageEvents && (await end()) - next < nearEvents) return;
    }
  };

  const keep = async (): Promise<void> => {
    const pos = Number(work.next);
    if (pos <= kept) return;
    if (await rows.note(name, owner, pos)) kept = pos;
    // Whoever has the partition now has taken it over; we are about to be told.
    else leaving.abort();
  };

  /** Has deliveries wait while the rest of the log is gone through. @returns whether that was done before they had to go on */
  const join = async (): Promise<boolean> => {
    phase = 'joining';
    const rest = walk(await end()).then(() => work.idle());
    if (await settledWithin(rest, joinMs)) return true;
    phase = 'passing';
    await rest;
    return false;
  };

  /** Whether it was noted or not: until that is known nothing may pass the handler by any more. */
  const finish = async (): Promise<boolean> => {
    for (;;) {
      signal.throwIfAborted();
      try {
        return await rows.finish(name, owner, next);
      } catch (error) {
        logger.warn({ error, ...name }, 'the end of a catch-up could not be noted; it is tried again');
        await backoff.wait(signal);
      }
    }
  };

  const catchUp = async (): Promise<void> => {
    await walk();
    while (!(await join())) await walk();
    signal.throwIfAborted();
    if (await finish()) {
      phase = 'joined';
      logger.info({ ...name, pos: next }, 'a new handler has caught up');
    } else {
      phase = 'passing';
      void leave();
    }
  };

  const goOn = async (): Promise<void> => {
    while (!signal.aborted && phase !== 'joined') {
      try {
        await catchUp();
      } catch (error) {
        phase = 'passing';
        if (isLeaving()) return;
        logger.warn({ error, ...name }, 'a catch-up broke off; it goes on from there');
        await backoff.wait(signal);
      }
    }
  };

  const keeper = setInterval(() => {
    keep().catch((error: unknown) => logger.debug({ error }, 'how far a catch-up is could not be kept'));
  }, keepEveryMs).unref();

  const leave = async (): Promise<void> => {
    leaving.abort();
    clearInterval(keeper);
    await work.leave();
    if (phase !== 'joined') await keep().catch(() => undefined);
  };

  logger.info({ ...name, pos: next }, 'a new handler goes through what was published before');
  void goOn().finally(() => clearInterval(keeper));

  return {
    async admits(turn) {
      while (phase === 'joining') await turn.pause(lookEveryMs);
      return phase === 'joined';
    },
    leave,
  };
};
