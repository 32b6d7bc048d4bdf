import { Backoff } from '../kafka/backoff.ts';
import { createPartitionWindow, type WindowBounds, type WindowEntry } from './partition-window.ts';
import { unplaced, type RunPlaces, type Turn } from './run-places.ts';
import { createTaskQueue, type TaskQueue } from './task-queue.ts';

/** Something to be done because of a record, such as one handler's part. */
export interface Task {
  /** Tasks of one lane run one after the other, in the order in which they came; lanes run side by side. */
  readonly lane: string;
  /** Where it may be run together with others: then its lane is for what is left of that. */
  readonly group?: TaskGroup;
  /** Resolves once the task needs nothing more. After a rejection it is run again, unless the partition is given up. */
  run(turn: Turn): Promise<void>;
}

/** Tasks that may be run together: one such run at a time. */
export interface TaskGroup {
  readonly key: string;
  readonly maxTasks: number;
  /** How long it is waited for more, once there is one. */
  readonly maxWaitMs: number;
  /** Whether its runs wait for something else first, and ask for a place by themselves once they do not. */
  readonly asksForPlace?: boolean;
  /**
   * Runs what waits, in the order in which it came. After a rejection the same tasks are run again, unless the partition is given up.
   *
   * @returns the tasks that are left, in order: each is then run by itself, in its lane
   */
  run(tasks: readonly Task[], turn: Turn): Promise<readonly Task[]>;
}

/** A task, and how to say that it needs nothing more. */
interface Queued {
  readonly task: Task;
  readonly settled: () => void;
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
  const lanes = new Map<string, Queued[]>();
  const groups = new Map<string, TaskQueue<Queued>>();
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

  /** @returns what the work gives; undefined where the partition is given up */
  const persist = async <T>(work: (turn: Turn) => Promise<T>, among = places): Promise<T | undefined> => {
    const backoff = new Backoff(100, 10_000);
    while (!isLeaving()) {
      try {
        return await among.run(signal, work);
      } catch (error) {
        if (isLeaving()) return undefined;
        onError(error);
        await backoff.wait(signal);
      }
    }
    return undefined;
  };

  const settle = (...done: readonly Queued[]): void => {
    for (const { settled } of done) settled();
    onProgress();
    tell();
  };

  const follow = (loop: Promise<void>): void => {
    const done = loop.finally(() => running.delete(done));
    running.add(done);
  };

  const runLane = async (key: string, lane: Queued[]): Promise<void> => {
    await after;
    for (let next = lane[0]; next !== undefined; next = lane[0]) {
      const { task } = next;
      if ((await persist((turn) => task.run(turn).then(() => true))) === undefined) return;
      lane.shift();
      settle(next);
    }
    lanes.delete(key);
  };

  const toLane = (queued: Queued): void => {
    const { lane: key } = queued.task;
    const lane = lanes.get(key);
    if (lane !== undefined) {
      lane.push(queued);
      return;
    }
    const opened = [queued];
    lanes.set(key, opened);
    follow(runLane(key, opened));
  };

  /** What waits and may be run together. What is behind something in its lane goes there. */
  const formBatch = (queue: TaskQueue<Queued>, most: number): readonly Queued[] => {
    const batch: Queued[] = [];
    while (batch.length < most) {
      const next = queue.shift();
      if (next === undefined) break;
      if (lanes.has(next.task.lane)) toLane(next);
      else batch.push(next);
    }
    return batch;
  };

  const runGroup = async (group: TaskGroup, queue: TaskQueue<Queued>): Promise<void> => {
    await after;
    const among = group.asksForPlace === true ? unplaced : places;
    while (queue.size > 0 && !isLeaving()) {
      await queue.gather(group.maxTasks, group.maxWaitMs);
      let batch: readonly Queued[] | undefined;
      const left = await persist(async (turn) => {
        batch ??= formBatch(queue, group.maxTasks);
        const tasks = batch.map(({ task }) => task);
        return tasks.length === 0 ? [] : await group.run(tasks, turn);
      }, among);
      if (left === undefined) return;
      const alone = new Set(left);
      for (const queued of batch ?? []) if (alone.has(queued.task)) toLane(queued);
      settle(...(batch ?? []).filter(({ task }) => !alone.has(task)));
    }
    groups.delete(group.key);
  };

  const toGroup = (group: TaskGroup, queued: Queued): void => {
    const queue = groups.get(group.key);
    if (queue !== undefined) {
      queue.push(queued);
      return;
    }
    const opened = createTaskQueue<Queued>(signal);
    opened.push(queued);
    groups.set(group.key, opened);
    follow(runGroup(group, opened));
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
      for (const task of tasks) {
        if (task.group === undefined) toLane({ task, settled });
        else toGroup(task.group, { task, settled });
      }
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
