import { setTimeout as delay } from 'node:timers/promises';

import type { Fault } from '../fault.ts';
import type { LosingWrites, LostWrite } from '../link-proxy.ts';
import type { Random } from '../seeded-random.ts';

const readyMs = 90_000;

/** Of a hundred changes, or other writes, that could be lost. */
const latePercent = 60;
const madePercent = 20;
const othersPercent = 5;

/** A change that comes late is under way for so long at most. */
const lateMs = 5_000;

/** So many changes of a service have to come late, and so long it is waited for them. */
const wanted = { short: 8, long: 40 };
const lostMs = 30_000;

/** Others are under way no longer than that: nobody looks for them in between. */
const shortlyMs = 100;

interface Held {
  readonly go: () => void;
  readonly made: Promise<unknown>;
}

/**
 * A change that is late waits for the second one after it: the first is its repetition by the driver, which is late with it, then its
 * writer looks for it, does not find it and makes it anew; and that gets through once the late ones have.
 */
const losing = (random: Random, onLate: () => void): LosingWrites => {
  let held: Held[] = [];

  const hold = (): LostWrite => {
    const late = Promise.withResolvers<undefined>();
    const made = Promise.withResolvers<undefined>();
    held.push({ go: () => late.resolve(undefined), made: made.promise });
    return {
      late: Promise.race([late.promise, delay(lateMs)]),
      made() {
        made.resolve(undefined);
        return undefined;
      },
    };
  };

  const letGo = async (): Promise<undefined> => {
    const going = held;
    held = [];
    for (const { go } of going) go();
    await Promise.race([Promise.all(going.map(({ made }) => made)), delay(lateMs)]);
    return undefined;
  };

  return (command) => {
    if (command !== 'findAndModify')
      return random.chance(othersPercent) ? { late: delay(random.below(shortlyMs)) } : undefined;
    if (held.length === 2) return letGo();
    if (held.length === 1) return hold();
    if (random.chance(latePercent)) {
      onLate();
      return hold();
    }
    return random.chance(madePercent) ? {} : undefined;
  };
};

/** Writers learn only that their connection broke: the write was made, or comes later than they look for it. */
export const lostAnswers: Fault = {
  name: 'lost-answers',
  about: 'answers of MongoDB to writes are lost, and some of these come late',
  async inject({ fleet, random, short, note, progress }) {
    const turns = random.shuffled(fleet.services).slice(0, short ? 2 : fleet.services.length);
    for (const service of turns) {
      let late = 0;
      const onLate = (): void => {
        late += 1;
      };
      for (const { links } of fleet.of(service)) links.mongodb.loseAnswers(losing(random.fork(), onLate));
      const deadline = performance.now() + lostMs;
      while (late < wanted[short ? 'short' : 'long'] && performance.now() < deadline) await delay(50);
      for (const { links } of fleet.of(service)) links.mongodb.mend();
      note(`${late} late changes of ${service}`);
      await progress(10);
    }
  },
  async heal({ fleet }) {
    for (const { links } of fleet.replicas) links.mongodb.mend();
    await fleet.untilReady(readyMs);
  },
};
