import type { Cause } from '@causeway/contracts';
import { randomUUID } from 'node:crypto';
import type { Collection, Db, Filter, OptionalUnlessRequiredId } from 'mongodb';

import type { RecordedDocument } from '../recording/recorded-document.ts';
import type { RelayLogger } from '../relay/relay-metrics.ts';

/** Work whose runner has said nothing for so long is taken over. */
const leaseMs = 10_000;
const renewEveryMs = 2_000;
const lookEveryMs = 2_000;
/** Orders of one kind that one process works on side by side. */
const atOnce = 4;

/** What an administrator has asked for: it goes on until it has ended, whatever becomes of a replica. */
export interface Order extends RecordedDocument {
  readonly status: 'running' | 'ended';
  /** Of the request: the end goes back to it. */
  readonly cause: Cause;
}

/** What of an {@link Order} whoever works on it has to know. */
export type LeasedOrder = Pick<Order, '_id' | 'status'>;

/** Who is at work on an order, and how far. Times are the database server's. */
type LeaseRow<Progress> = Progress & { readonly _id: string; readonly owner: string; readonly until: Date };

/** How {@link createLeasedWork} is wired. */
export interface LeasedWorkOptions<Doc extends LeasedOrder, Progress extends object> {
  /** What it is called in the log: `redrive`. */
  readonly name: string;
  readonly db: Db;
  /** The collection that says who is at work. */
  readonly leases: string;
  readonly orders: { readonly native: Collection<Doc> };
  /** What has been done of an order that nobody has begun. */
  readonly zero: Progress;
  /** Whether this replica can: an older one may not know what is asked for. */
  readonly can: (order: Doc) => boolean;
  /**
   * Does it, from where whoever was at work before had got to; notes in `progress` how far it is. Rejects where `signal` ends it.
   *
   * @param save - keeps the progress at once, before a step that must not be taken twice. Rejects where it is somebody else's work now
   */
  readonly work: (order: Doc, progress: Progress, signal: AbortSignal, save: () => Promise<void>) => Promise<void>;
  /** Says that it has ended. */
  readonly end: (order: Doc, progress: Progress) => Promise<void>;
  readonly logger: RelayLogger;
}

/** Works on orders, at this replica or at one that is gone. */
export interface LeasedWork<Doc extends LeasedOrder, Progress> {
  /** Begins at once, where there is room; otherwise it is found in time. */
  begin(order: Doc): void;
  /** How far whoever is at work had got when it last said so. */
  progressOf(id: string): Promise<Progress | undefined>;
  /** Takes up what nobody works on, from now on. */
  start(): void;
  stop(): Promise<void>;
}

/** Makes the worker of one replica. Each order has a lease in MongoDB, on the server's time. */
export const createLeasedWork = <Doc extends LeasedOrder, Progress extends object>(
  options: LeasedWorkOptions<Doc, Progress>,
): LeasedWork<Doc, Progress> => {
  const { name, db, orders, zero, can, logger } = options;
  type Row = LeaseRow<Progress>;
  const owner = randomUUID();
  const leases = db.collection<Row>(options.leases);
  const stopping = new AbortController();
  const working = new Map<string, Promise<void>>();
  let timer: NodeJS.Timeout | undefined;
  const until = { $dateAdd: { startDate: '$$NOW', unit: 'millisecond', amount: leaseMs } };
  const of = (id: string, held: object = {}): Filter<Row> => ({ _id: id, ...held }) as Filter<Row>;

  const take = async (id: string): Promise<Progress | undefined> => {
    const free = { owner: '', until: new Date(0), ...zero } as unknown as OptionalUnlessRequiredId<Row>;
    await leases.updateOne(of(id), { $setOnInsert: free } as object, { upsert: true });
    const ended = of(id, { $expr: { $lte: ['$until', '$$NOW'] } });
    const row = await leases.findOneAndUpdate(ended, [{ $set: { owner, until } }], { returnDocument: 'after' });
    return row === null ? undefined : progressIn(row as Row);
  };

  const progressIn = (row: Row): Progress => {
    const names = Object.keys(zero) as (keyof Progress)[];
    return Object.fromEntries(names.map((each) => [each, row[each]])) as Progress;
  };

  /** @returns whether the lease is still ours */
  const note = async (id: string, progress: Progress, ends: object | string): Promise<boolean> => {
    const told = Object.entries(progress).map(([key, value]) => [key, { $literal: value as unknown }]);
    const set = { until: ends, ...(Object.fromEntries(told) as object) };
    return (await leases.updateOne(of(id, { owner }), [{ $set: set }])).matchedCount > 0;
  };

  const work = async ({ _id }: Doc): Promise<void> => {
    const progress = await take(_id);
    if (progress === undefined) return;
    // As it is now: whoever had it may have ended it since it was looked for.
    const order = (await orders.native.findOne({ _id } as Filter<Doc>)) as Doc | null;
    if (order?.status !== 'running') {
      await leases.deleteOne(of(_id, { owner }));
      return;
    }
    const save = async (): Promise<void> => {
      if (!(await note(_id, progress, until))) throw new Error('somebody else is at work on it');
    };
    const lost = new AbortController();
    const renewal = setInterval(() => {
      note(order._id, progress, until).then(
        (mine) => !mine && lost.abort(),
        (error: unknown) => logger.debug({ error }, `a ${name} could not tell how far it is`),
      );
    }, renewEveryMs);
    try {
      await options.work(order, progress, AbortSignal.any([stopping.signal, lost.signal]), save);
      await options.end(order, progress);
      await leases.deleteOne(of(order._id, { owner }));
    } finally {
      clearInterval(renewal);
      // Whoever takes it over goes on from here, and need not wait for the lease to end.
      await note(order._id, progress, '$$NOW').catch(() => undefined);
    }
  };

  const begin = (order: Doc): void => {
    if (!can(order) || working.has(order._id) || working.size >= atOnce || stopping.signal.aborted) return;
    const done = work(order)
      .catch((error: unknown) => {
        if (!stopping.signal.aborted)
          logger.warn({ [name]: order._id, error }, `a ${name} broke off; it is taken up again`);
      })
      .finally(() => working.delete(order._id));
    working.set(order._id, done);
  };

  const look = async (): Promise<void> => {
    try {
      for await (const order of orders.native.find({ status: 'running' } as Filter<Doc>)) begin(order as Doc);
    } catch (error) {
      logger.debug({ error }, `what is to be done of each ${name} could not be looked for; it is tried again`);
    }
    if (!stopping.signal.aborted)
      timer = setTimeout(() => void look(), lookEveryMs * (0.75 + Math.random() / 2)).unref();
  };

  return {
    begin,
    async progressOf(id) {
      const row = await leases.findOne(of(id));
      return row === null ? undefined : progressIn(row as Row);
    },
    start: () => void look(),
    async stop() {
      stopping.abort();
      clearTimeout(timer);
      await Promise.allSettled(working.values());
    },
  };
};
