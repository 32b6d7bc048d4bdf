import { setTimeout as delay } from 'node:timers/promises';

import type { Fault } from '../fault.ts';
import type { LosingWrites } from '../link-proxy.ts';
import type { Random } from '../seeded-random.ts';

const readyMs = 90_000;

/** Of a hundred writes; the driver makes each once more by itself, and that is lost as often. */
const lostPercent = 80;

/** At most: some come before their writer has looked for them, some while it makes them anew. */
const lateMs = 100;

const losing = (random: Random): LosingWrites => {
  return () => {
    if (!random.chance(lostPercent)) return undefined;
    return random.chance(70) ? { late: delay(random.below(lateMs)) } : {};
  };
};

/** Writers learn only that their connection broke: the write was made, or comes later than they look for it. */
export const lostAnswers: Fault = {
  name: 'lost-answers',
  about: 'answers of MongoDB to writes are lost, and some of these come late',
  async inject({ fleet, random, short, note, progress }) {
    const turns = random.shuffled(fleet.services).slice(0, short ? 2 : fleet.services.length);
    for (const service of turns) {
      for (const { links } of fleet.of(service)) links.mongodb.loseAnswers(losing(random.fork()));
      await delay(short ? 5_000 : 15_000);
      for (const { links } of fleet.of(service)) links.mongodb.mend();
      await progress(10);
    }
    note(`at ${turns.join(', ')}`);
  },
  async heal({ fleet }) {
    for (const { links } of fleet.replicas) links.mongodb.mend();
    await fleet.untilReady(readyMs);
  },
};
