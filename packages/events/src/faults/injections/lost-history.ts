import type { Fault } from '../fault.ts';
import { readyReplicas } from './ready-replicas.ts';

const toldMs = 60_000;
const readyMs = 90_000;

/** What a replica says when its commit stream cannot go on where it stood. */
const words = 'the oplog no longer holds where the commit stream stood';

/** A replica stands still while the oplog forgets all that it has not read: its change stream's token is of a time that is gone. */
export const lostHistory: Fault = {
  name: 'lost-history',
  about: 'a change stream whose token is no longer in the oplog',
  needs: ({ mongodb }) => mongodb.forgetOplog !== undefined,
  async inject({ fleet, servers, random, progress }) {
    const [frozen] = await readyReplicas({ fleet, random });
    frozen.signal('SIGSTOP');
    await progress(5);
    await servers.mongodb.forgetOplog?.();
    frozen.signal('SIGCONT');
    if (!(await frozen.untilSays(words, toldMs)))
      throw new Error(`${frozen.name} has not noticed that its token is gone`);
    await progress(10);
  },
  async heal({ fleet }) {
    for (const each of fleet.replicas) each.signal('SIGCONT');
    await fleet.untilReady(readyMs);
  },
};
