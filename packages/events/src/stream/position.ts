import { faults } from '@causeway/contracts';
import { Timestamp } from 'mongodb';
import type { MongoClient } from 'mongodb';

const header = 'Causeway-After';
const form = /^(\d{1,10})\.(\d{1,10})$/;
const largest = 2 ** 32 - 1;

/** A point in the order of commits, as clients carry it: `1795437812.4`. */
export const formatPosition = (position: Timestamp): string => `${position.t}.${position.i}`;

/**
 * Reads `Causeway-After`: the highest position that the caller has seen.
 *
 * @param value - the header, as Node gives it
 * @returns undefined where it was not sent
 * @throws Fault `invalid-request` where it is none of ours
 */
export function parseAfter(value: string | readonly string[] | undefined): Timestamp | undefined {
  if (value === undefined) return undefined;
  const match = typeof value === 'string' ? form.exec(value) : null;
  const [t, i] = [Number(match?.[1]), Number(match?.[2])];
  if (match !== null && t <= largest && i <= largest) return new Timestamp({ t, i });
  throw faults.invalidRequest({
    errors: [{ parameter: header, code: 'malformed', message: `${header} takes what Causeway-Position answered.` }],
  });
}

/** The later of two positions. */
export function laterOf(a: Timestamp | undefined, b: Timestamp | undefined): Timestamp | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a.greaterThan(b) ? a : b;
}

interface ClusterTime {
  readonly clusterTime?: unknown;
}

/** What the driver keeps of the cluster's time, which every answer of a replica set carries; not in its types. */
interface Gossip {
  readonly topology?: { clusterTime?: ClusterTime };
}

const timeOf = (told: ClusterTime | undefined): Timestamp | undefined =>
  told?.clusterTime instanceof Timestamp ? told.clusterTime : undefined;

const rising = new WeakSet<object>();

/** Has a client's time rise only: the driver takes each answer's as it comes, and one that was made before another may come after it, as a large one does. */
function keepRising(topology: { clusterTime?: ClusterTime }): void {
  if (rising.has(topology)) return;
  rising.add(topology);
  let latest = topology.clusterTime;
  Object.defineProperty(topology, 'clusterTime', {
    get: () => latest,
    set(told: ClusterTime | undefined) {
      const [before, now] = [timeOf(latest), timeOf(told)];
      if (before === undefined || now?.greaterThan(before) === true) latest = told;
    },
  });
}

/**
 * The latest cluster time that MongoDB has told this process: at or after everything that it has written or read.
 *
 * Taken from the driver's own gossip. Its public ways are an explicit session for each call, which recorded writes do not
 * take, and command monitoring, which decodes every answer twice.
 */
export function clusterTimeOf(client: MongoClient): Timestamp | undefined {
  const { topology } = client as Gossip;
  if (topology === undefined) return undefined;
  keepRising(topology);
  return timeOf(topology.clusterTime);
}
