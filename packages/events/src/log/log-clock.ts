import type { MongoClient } from 'mongodb';

import { clusterTimeOf } from '../stream/position.ts';

/**
 * The time that rows of the log are stamped with: the database's, in whole seconds, which costs no call. A leader appends what it has just
 * read, and each answer carries the cluster's time: so it is at or after the second in which the event was committed, whatever the
 * leader takes for now. It never goes back, from one leader to the next neither: who takes a slot over has read the lease after the last
 * one wrote it.
 *
 * @param now - where no server has answered yet
 */
export const logClock =
  (client: MongoClient, now: () => Date): (() => Date) =>
  () => {
    const time = clusterTimeOf(client);
    return time === undefined ? now() : new Date(time.t * 1_000);
  };
