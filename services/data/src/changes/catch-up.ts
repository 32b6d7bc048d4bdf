import { setTimeout as delay } from 'node:timers/promises';

import { HistoryLost } from '@causeway/events';
import type { CommitStream } from '@causeway/events';
import type { Timestamp } from 'mongodb';

import { isOfCommit } from './gather-transactions.ts';
import type { Place } from './place.ts';
import { comesAfter } from './place.ts';
import type { RecordChange } from './record-change.ts';
import { toRecordChange } from './record-change.ts';

/** Is given the changes of one commit. */
type Tell = (changes: readonly RecordChange[]) => Promise<void> | void;

/** Somebody who has missed changes that the history has forgotten. */
interface Reader {
  readonly place: Place;
  readonly collectionIds: readonly string[];
  readonly tell: Tell;
  readonly signal: AbortSignal;
  readonly done: (place: Place) => void;
  readonly failed: (error: unknown) => void;
}

/** Reads missed changes again. */
export interface CatchUp {
  /**
   * Tells the changes of some collections after a place, in commit order, those of one commit together.
   *
   * @returns the place up to which everything has been told
   * @throws HistoryLost where MongoDB does not reach back so far
   */
  read(place: Place, collectionIds: readonly string[], tell: Tell, signal: AbortSignal): Promise<Place>;
  stop(): Promise<void>;
}

/** Readers that come within this time share a round. */
const gatherMs = 30;
/** More of one commit are not held together. */
const mostTogether = 2_000;

/**
 * Makes the one reader of the past: however many feeds resume, as after a restart, there is one change stream. Who comes
 * while it reads waits for the next round.
 *
 * @param stream - the process's commit stream
 * @param now - the position up to which a round reads; what follows is in the history
 */
export function createCatchUp(stream: Pick<CommitStream, 'readFrom'>, now: () => Timestamp | undefined): CatchUp {
  const stopping = new AbortController();
  let waiting: Reader[] = [];
  let running: Promise<void> | undefined;

  const follow = async (readers: readonly Reader[], from: Timestamp, until: Timestamp): Promise<void> => {
    const filters = readers.map((reader) => ({ reader, isAfter: comesAfter(reader.place) }));
    const tell = async (commit: readonly RecordChange[]): Promise<void> => {
      const telling = filters.map(async ({ reader, isAfter }) => {
        // Asked of each change in turn, of whichever collection: within a transaction it counts.
        const own = commit.filter((change) => isAfter(change) && reader.collectionIds.includes(change.collectionId));
        if (own.length > 0 && !reader.signal.aborted) await reader.tell(own);
      });
      // One that is slow is waited for, but not one after the other.
      await Promise.all(telling);
    };
    let commit: RecordChange[] = [];
    for await (const raw of stream.readFrom(from, stopping.signal, until)) {
      const change = toRecordChange(raw);
      if (change === undefined) continue;
      const [first] = commit;
      if (first !== undefined && (!isOfCommit(first, change) || commit.length >= mostTogether)) {
        await tell(commit);
        commit = [];
      }
      commit.push(change);
    }
    await tell(commit);
    for (const { done } of readers) done({ position: until, eventId: undefined });
  };

  const round = async (readers: readonly Reader[]): Promise<void> => {
    const rest = readers.toSorted((a, b) => a.place.position.compare(b.place.position));
    const until = now();
    if (until === undefined) throw new Error('the position of the commit stream is not known');
    while (rest.length > 0) {
      const [oldest] = rest;
      if (oldest === undefined) return;
      try {
        await follow(rest, oldest.place.position, until);
        return;
      } catch (error) {
        if (!(error instanceof HistoryLost)) throw error;
        // Lost to the oldest; the others may still be told.
        oldest.failed(error);
        rest.shift();
      }
    }
  };

  const run = async (): Promise<void> => {
    while (waiting.length > 0 && !stopping.signal.aborted) {
      await delay(gatherMs);
      const readers = waiting;
      waiting = [];
      await round(readers).catch((error: unknown) => {
        for (const { failed } of readers) failed(error);
      });
    }
    running = undefined;
  };

  return {
    read: (place, collectionIds, tell, signal) =>
      new Promise((done, failed) => {
        waiting.push({ place, collectionIds, tell, signal, done, failed });
        running ??= run();
      }),
    async stop() {
      stopping.abort();
      await running;
      for (const { failed } of waiting) failed(new Error('the service stops'));
    },
  };
}
