import { setTimeout as delay } from 'node:timers/promises';

import type { Fault } from '../fault.ts';

const readyMs = 90_000;

/** Kafka is away: writes go on, and what they record waits in outboxes. */
export const kafkaAway: Fault = {
  name: 'kafka-away',
  about: 'Kafka is away for a minute, or some seconds in the short form',
  needs: ({ kafka }) => kafka.stop !== undefined && kafka.start !== undefined,
  async inject({ servers, short, note }) {
    const awayMs = short ? 6_000 : 60_000;
    await servers.kafka.stop?.();
    await delay(awayMs);
    note(`away for ${awayMs / 1_000} s`);
  },
  async heal({ servers, fleet }) {
    await servers.kafka.start?.();
    await fleet.untilReady(readyMs);
  },
};

/** mongod ends as by a power cut, and comes back. */
export const mongodbKilled: Fault = {
  name: 'mongodb-killed',
  about: 'SIGKILL of mongod',
  needs: ({ mongodb }) => mongodb.kill !== undefined,
  async inject({ servers, short, progress }) {
    for (let times = short ? 1 : 3; times > 0; times -= 1) {
      await servers.mongodb.kill?.();
      await progress(10);
    }
  },
  heal: ({ fleet }) => fleet.untilReady(readyMs),
};

/** The primary gives up its place: its transactions end, and there is nobody to write to until the next one. */
export const mongodbSteppedDown: Fault = {
  name: 'mongodb-stepped-down',
  about: 'replSetStepDown of the primary',
  needs: ({ mongodb }) => mongodb.stepDown !== undefined,
  async inject({ servers, short, progress }) {
    for (let times = short ? 2 : 5; times > 0; times -= 1) {
      await servers.mongodb.stepDown?.();
      await progress(10);
    }
  },
  heal: ({ fleet }) => fleet.untilReady(readyMs),
};

/** The primary goes on for a while without the others, who choose a new one: what it alone has taken is rolled back. */
export const mongodbRolledBack: Fault = {
  name: 'mongodb-rolled-back',
  about: 'the primary is cut off, and what it has taken alone is rolled back',
  needs: ({ mongodb }) => mongodb.rollBack !== undefined,
  async inject({ servers, short, progress }) {
    for (let times = short ? 1 : 2; times > 0; times -= 1) {
      await servers.mongodb.rollBack?.();
      await progress(10);
    }
  },
  heal: ({ fleet }) => fleet.untilReady(readyMs),
};
