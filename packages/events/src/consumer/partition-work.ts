import { Backoff } from '../kafka/backoff.ts';
import { createPartitionWindow, type WindowBounds, type WindowEntry } from './partition-window.ts';
import type { RunPlaces, Turn } from './run-places.ts';

/** Something to be done because of a record, such as one handler's part. */
export interface Task {
  /** Tasks of one lane run one after the other, in the order in which they came; lanes run side by side. */
  readonly lane: string;
  /** Resolves once the task needs nothing more. After a rejection it is run again, unless the partition is given up. */
  run(turn: Turn): Promise<void>;
}

/** How {@link createPartitionWork} is wired. */
export interface PartitionWorkOptions {
  /** The first offset that will be handed over. */
  readonly start: bigint;
  readonly bounds: WindowBounds;
  readonly places: RunPlaces;
  /** No task runs before: the last runs under the assignment before this one. */
  readonly after?: Promise<void> | undefined;
  /** The watermark may have moved. */
  onProgress(): void;
  onError(error: unknown): void;
}

/** The work of a partition under one assignment. */
export interface PartitionWork {
  /** The next offset to commit: everything below has been settled. */
  readonly next: bigint;
  /** The last event below {@link PartitionWork.next}, in the order in which they came. */
  readonly event: string | undefined;
  /** Records that are in hand or wait. */
  readonly held: number;
  /** Whether the partition is given up: what is left belongs to whoever comes next. */
  readonly leaving: boolean;
  /**
   * Hands over one record, in order. Resolves once there is room for another.
   *
   * @param tasks - it is settled once they all are; none: at once
   * @returns whether the record was taken in: false where the partition is given up
   */
  accept(entry: WindowEntry, tasks: readonly Task[]): Promise<boolean>;
  /** Resolves once everything is settled, or the partition is given up. */
  idle(): Promise<void>;
  /** Begins nothing more. Resolves once what is in hand is over. */
  leave(): Promise<void>;
}

/** Makes the work of a partition: lanes that run side by side, within bounds, above one watermark. */
export const createPartitionWork = (options: PartitionWorkOptions): PartitionWork => {
  const { places, after, onProgress, onError } = options;
  const window = createPartitionWindow(options.start, options.bounds);
  const leaving = new AbortController();
  const { signal } = leaving;
  const lanes = new Map<string, (Task & { settled: () => void })[]>();
  const running = new Set<Promise<void>>();
  let changed = Promise.withResolvers<undefined>();
  const isLeaving = (): boolean => signal.aborted;

  const tell = (): void => {
    changed.resolve(undefined);
    changed = Promise.withResolvers();
  };

  const until = async (condition: () => boolean): Promise<void> => {
    while (!isLeaving() && !condition()) await changed.promise;
  };

  /** @returns whether the task needs nothing more */
  const run = async (task: Task): Promise<boolean> => {
    const backoff = new Backoff(100, 10_000);
    while (!isLeaving()) {
      try {
        await places.run(signal, (turn) => task.run(turn));
        return true;
      } catch (error) {
        if (isLeaving()) return false;
        onError(error);
        await backoff.wait(signal);
      }
    }
    return false;
  };

  const runLane = async (key: string, lane: (Task & { settled: () => void })[]): Promise<void> => {
    await after;
    for (let task = lane[0]; task !== undefined; task = lane[0]) {
      if (!(await run(task))) return;
      lane.shift();
      task.settled();
      onProgress();
      tell();
    }
    lanes.delete(key);
  };

  const enqueue = (task: Task, settled: () => void): void => {
    const queued = { lane: task.lane, run: (turn: Turn) => task.run(turn), settled };
    const lane = lanes.get(task.lane);
    if (lane !== undefined) {
      lane.push(queued);
      return;
    }
    const opened = [queued];
    lanes.set(task.lane, opened);
    const done = runLane(task.lane, opened).finally(() => running.delete(done));
    running.add(done);
  };

  return {
    get next() {
      return window.next;
    },
    get event() {
      return window.event;
    },
    get held() {
      return window.held;
    },
    get leaving() {
      return isLeaving();
    },
    async accept(entry, tasks) {
      if (isLeaving()) return false;
      const settled = window.add(entry, tasks.length);
      for (const task of tasks) enqueue(task, settled);
      if (tasks.length === 0) onProgress();
      await until(() => !window.isFull);
      return true;
    },
    idle: () => until(() => window.isIdle),
    async leave() {
      leaving.abort();
      tell();
      await Promise.allSettled(running);
    },
  };
};
