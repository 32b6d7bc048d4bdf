import { setTimeout as delay } from 'node:timers/promises';

import type { Fault } from '../fault.ts';
import type { ReplicaProcess } from '../replica-process.ts';
import { readyReplicas } from './ready-replicas.ts';

const readyMs = 90_000;

/** Every five seconds one replica goes, in order or by SIGKILL, and comes back when the next one goes. */
export const rebalances: Fault = {
  name: 'rebalances',
  about: 'consumers join and leave every 5 s',
  async inject(context) {
    const { random, short, note } = context;
    const times = short ? 3 : 12;
    let away: ReplicaProcess | undefined;
    for (let turn = 0; turn < times; turn += 1) {
      const [next] = await readyReplicas(context);
      const began = performance.now();
      await next.stop(random.chance(50) ? 'leave' : 'kill');
      away?.start();
      away = next;
      await delay(Math.max(0, 5_000 - (performance.now() - began)));
    }
    note(`${times} went and came back`);
  },
  async heal({ fleet }) {
    for (const each of fleet.replicas) each.start();
    await fleet.untilReady(readyMs);
  },
};

/** A replica stands still beyond its leases, and goes on where it stood: it takes itself for the leader for a moment. */
export const frozenLeader: Fault = {
  name: 'frozen-leader',
  about: 'SIGSTOP beyond the lease, then SIGCONT',
  async inject(context) {
    const { leaseMs, short, progress, note } = context;
    const times = short ? 2 : 6;
    for (let turn = 0; turn < times; turn += 1) {
      const [frozen] = await readyReplicas(context);
      frozen.signal('SIGSTOP');
      // Now and then also beyond the session of its group, 10 s: then its partitions are somebody else's too.
      await delay(leaseMs * 2 + (!short && turn % 3 === 2 ? 12_000 : 0));
      frozen.signal('SIGCONT');
      await progress(10);
    }
    note(`${times} frozen`);
  },
  async heal({ fleet }) {
    for (const each of fleet.replicas) each.signal('SIGCONT');
    await fleet.untilReady(readyMs);
  },
};

const fiveMinutes = 5 * 60_000;

/** Clocks of replicas jump, each by itself; leases and timers go by the database's clock, durations by a monotonic one. */
export const jumpingClock: Fault = {
  name: 'jumping-clock',
  about: 'wall clocks of replicas jump by ±5 min',
  async inject(context) {
    const { random, short, progress } = context;
    for (let turn = 0; turn < (short ? 4 : 16); turn += 1) {
      const [replica] = await readyReplicas(context);
      replica.setClock(random.pick([-fiveMinutes, 0, fiveMinutes]));
      await progress(10);
    }
  },
  async heal({ fleet }) {
    for (const each of fleet.replicas) each.setClock(0);
    await fleet.untilReady(readyMs);
  },
};
