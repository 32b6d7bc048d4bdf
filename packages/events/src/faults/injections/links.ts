import { setTimeout as delay } from 'node:timers/promises';

import type { Fault } from '../fault.ts';
import { readyReplicas } from './ready-replicas.ts';

const readyMs = 90_000;

/** Connections of some replicas hang in one direction: no error, no end, and those that are open never come back. */
export const hangingLink: Fault = {
  name: 'hanging-link',
  about: 'connections to MongoDB and Kafka hang in one direction',
  async inject({ fleet, random, short, note, progress }) {
    const hangMs = short ? 4_000 : 20_000;
    const [one, other = one] = await readyReplicas({ fleet, random });
    const direction = () => random.pick(['requests', 'answers'] as const);
    for (const { name, link, server } of [
      { name: one.name, link: one.links.kafka, server: 'Kafka' },
      { name: other.name, link: other.links.mongodb, server: 'MongoDB' },
    ]) {
      const way = direction();
      link.hang(way);
      await delay(hangMs);
      link.mend();
      note(`${way} of ${name} to ${server}`);
      await progress(5);
    }
  },
  async heal({ fleet }) {
    for (const { links } of fleet.replicas) {
      links.kafka.mend();
      links.mongodb.mend();
    }
    await fleet.untilReady(readyMs);
  },
};
