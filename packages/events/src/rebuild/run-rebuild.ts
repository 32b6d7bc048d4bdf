import { checkRead, ContractViolation, isRedacted, serviceOf, topicOf, type EventEnvelope } from '@causeway/contracts';
import type { Db, Document } from 'mongodb';
import { setTimeout as delay } from 'node:timers/promises';

import type { ProjectionHandler } from '../consumer/handler.ts';
import { throughOutages } from '../consumer/outages.ts';
import { runProjection } from '../consumer/run-projection.ts';
import type { KafkaPort } from '../kafka/port.ts';
import type { PlacedEvent, ProducerLog } from '../log/producer-log.ts';
import { isDuplicateKey } from '../recording/errors.ts';
import type { RelayLogger } from '../relay/relay-metrics.ts';
import { walkLog } from '../replay/walk-log.ts';
import { compareCopies, type Copy } from './compare-copies.ts';
import type { ReadPlace, RebuildDocument, RebuildProgress } from './rebuild.model.ts';

/** Events that are brought to a copy at a time; those of different subjects side by side. */
const sideBySide = 32;

/** How {@link createRebuildRunner} is wired. */
export interface RebuildRunnerOptions {
  readonly db: Db;
  readonly kafka: Pick<KafkaPort, 'partitionCount'>;
  readonly logs: (topic: string) => ProducerLog;
  /** Whether an administrator has given it up meanwhile. */
  readonly isDropped: (id: string) => Promise<boolean>;
  readonly logger: RelayLogger;
}

/** Builds a copy anew and swaps it in, as far as nobody has to be asked. Rejects where `signal` ends it. */
export type RunRebuild = (
  order: RebuildDocument,
  handler: ProjectionHandler,
  progress: RebuildProgress,
  signal: AbortSignal,
  save: () => Promise<void>,
) => Promise<void>;

/** An administrator has given it up. */
class Dropped extends Error {
  override readonly name = 'Dropped';
}

/** Its own for each rebuild: whoever has lost one cannot swap in what another is building. */
export const shadowOf = ({ _id, collection }: Pick<RebuildDocument, '_id' | 'collection'>): string =>
  `${collection}__rebuild_${_id}`;

/** What works on the rebuilds of a service. */
export interface RebuildRunner {
  readonly run: RunRebuild;
  /** Removes a copy that is not to be swapped in. */
  remove(order: RebuildDocument): Promise<void>;
}

/** Makes the runner of a service's rebuilds. */
export const createRebuildRunner = ({ db, kafka, logs, isDropped, logger }: RebuildRunnerOptions): RebuildRunner => {
  const infoOf = async (name: string) => (await db.listCollections({ name }).toArray())[0];

  /** The new copy, with whatever the one that is used was made with. */
  const prepare = async ({ collection }: RebuildDocument, shadow: string): Promise<void> => {
    if ((await infoOf(shadow)) !== undefined) return;
    const live = (await infoOf(collection)) as { readonly options?: Document } | undefined;
    await db.createCollection(shadow, live?.options ?? {});
    const indexes = live === undefined ? [] : await db.collection(collection).indexes();
    const own = indexes.filter(({ name }) => name !== '_id_').map(({ v: _v, ...index }) => index);
    if (own.length > 0) await db.command({ createIndexes: shadow, indexes: own });
  };

  const beginnings = async ({ on }: ProjectionHandler): Promise<ReadPlace[]> => {
    const places: ReadPlace[] = [];
    for (const topic of new Set(on.map(({ type }) => topicOf(serviceOf(type))))) {
      const count = await kafka.partitionCount(topic);
      for (let slot = 0; slot < count; slot += 1) {
        const { from } = await logs(topic).extent({ slot });
        places.push({ topic, slot, next: from });
      }
    }
    return places;
  };

  const project = async (
    handler: ProjectionHandler,
    event: EventEnvelope,
    into: string,
    onCopy?: (copy: Copy) => void,
  ): Promise<void> => {
    const contract = handler.on.find(({ type }) => type === event.type);
    if (contract === undefined || isRedacted(event)) return;
    try {
      const lifted = checkRead(contract, event);
      await runProjection(db, handler, lifted, into);
      if (onCopy === undefined) return;
      const copy = await db.collection<Copy>(into).findOne({ _id: handler.project(lifted)._id });
      if (copy !== null) onCopy(copy);
    } catch (error) {
      // Parked, where it was delivered: it is in neither copy.
      if (!(error instanceof ContractViolation)) throw error;
    }
  };

  const run: RunRebuild = async (order, handler, progress, signal, save) => {
    const shadow = shadowOf(order);
    const { ratePerSecond } = order;
    // No wait is longer than a second: it can be given up.
    const atOnce = Math.min(sideBySide, ratePerSecond ?? Infinity);
    const patience = { logger, signal };

    const demandWanted = async (): Promise<void> => {
      if (await throughOutages(() => isDropped(order._id), patience)) throw new Dropped();
    };

    /** Reads on to where the logs end now: others go on writing them. */
    const follow = async (
      places: readonly ReadPlace[],
      into: string,
      at: (places: ReadPlace[]) => void,
      onCopy?: (copy: Copy) => void,
    ): Promise<void> => {
      const now = [...places];
      for (const [index, { topic, slot, next }] of places.entries()) {
        const log = logs(topic);
        const { to } = await log.extent({ slot });
        for await (const rows of walkLog({ log, slot, from: next, to, signal })) {
          for (let first = 0; first < rows.length; first += atOnce) {
            signal.throwIfAborted();
            if (into === shadow && (first === 0 || ratePerSecond !== undefined)) await demandWanted();
            const part = rows.slice(first, first + atOnce);
            // Each subject in its order: every state of it is shown.
            const subjects = Map.groupBy(part, ({ event }) => event.subject);
            const one = async (own: readonly PlacedEvent[]): Promise<void> => {
              for (const { event } of own) await throughOutages(() => project(handler, event, into, onCopy), patience);
            };
            await Promise.all([...subjects.values()].map(one));
            progress.seen += part.length;
            // Once it is swapped in, what it lacks is to come at once.
            if (into === shadow && ratePerSecond !== undefined)
              await delay((part.length * 1_000) / ratePerSecond, undefined, { signal });
          }
          now[index] = { topic, slot, next: (rows.at(-1)?.pos ?? next) + 1 };
          at([...now]);
        }
      }
    };
    const feed = async (onCopy?: (copy: Copy) => void): Promise<void> => {
      await demandWanted();
      await follow(progress.places, shadow, (places) => void (progress.places = places), onCopy);
    };

    /** Where a log has forgotten its beginning, a document of which it knows nothing any more is taken over as it is. */
    const carry = async (copy: { readonly _id: string }): Promise<boolean> => {
      if (!isCut) return false;
      try {
        await db.collection<{ _id: string }>(shadow).insertOne(copy);
        progress.carried += 1;
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
        return false;
      }
      return true;
    };
    let isCut = false;

    const build = async (): Promise<boolean> => {
      await prepare(order, shadow);
      const first = await beginnings(handler);
      isCut = first.some(({ next }) => next > 1);
      if (progress.places.length === 0) progress.places = order.places.length > 0 ? order.places : first;
      await feed();
      const mark = progress.places;
      if (order.decision === 'none') {
        const compare = { db, live: order.collection, rebuilt: shadow, follow: feed, carry, signal };
        progress.comparison = await compareCopies(compare);
        if (progress.comparison.differing > 0) return false;
      }
      Object.assign(progress, { mark, phase: 'swapping' });
      await save();
      return true;
    };

    try {
      if (progress.phase === 'building' && !(await build())) return;
    } catch (error) {
      if (error instanceof Dropped) return;
      throw error;
    }
    if (progress.phase === 'swapping') {
      // Not there: it has been swapped in, by whoever was at work before.
      if ((await infoOf(shadow)) !== undefined) {
        await db.collection(shadow).rename(order.collection, { dropTarget: true });
      }
      progress.phase = 'settling';
      await save();
    }
    // What came to the old copy, after the new one had been fed for the last time, comes to the new one.
    await follow(progress.mark, order.collection, (mark) => void (progress.mark = mark));
  };

  return {
    run,
    async remove(order) {
      const shadow = shadowOf(order);
      if ((await infoOf(shadow)) !== undefined) await db.dropCollection(shadow);
    },
  };
};
