import { setTimeout as delay } from 'node:timers/promises';

import type { Fault } from '../fault.ts';
import type { LosingWrites, LostWrite } from '../link-proxy.ts';
import type { Random } from '../seeded-random.ts';

const readyMs = 90_000;

/** Of a hundred writes; the driver makes each once more by itself, and that is lost as often. */
const lostPercent = 80;

/** Of a hundred that are lost: the others are made at once. */
const latePercent = 70;

/** A change that comes late is under way for so long at most. */
const lateMs = 5_000;

/** So many changes of a service have to come late, and so long it is waited for them. */
const wanted = { short: 20, long: 80 };
const lostMs = 45_000;

/** Others that are under way no longer: nobody looks for them in between. */
const shortlyMs = 100;

interface Held {
  /** How many changes have come after it. */
  later: number;
  readonly go: () => void;
  readonly made: Promise<unknown>;
}

/**
 * A change that is late waits for the second one after it: the first is its repetition by the driver, then its writer looks for it, does
 * not find it and makes it anew; and that gets through once the late one has.
 */
const losing = (random: Random, onHeld: () => void): LosingWrites => {
  let held: Held[] = [];

  const letGo = async (): Promise<void> => {
    for (const each of held) each.later += 1;
    const going = held.filter(({ later }) => later >= 2);
    held = held.filter(({ later }) => later < 2);
    for (const { go } of going) go();
    await Promise.race([Promise.all(going.map(({ made }) => made)), delay(lateMs)]);
  };

  const hold = (): LostWrite => {
    const late = Promise.withResolvers<undefined>();
    const made = Promise.withResolvers<undefined>();
    onHeld();
    held.push({ later: 0, go: () => late.resolve(undefined), made: made.promise });
    return {
      late: Promise.race([late.promise, delay(lateMs)]),
      made() {
        made.resolve(undefined);
        return undefined;
      },
    };
  };

  return async (command) => {
    const isChange = command === 'findAndModify';
    if (isChange) await letGo();
    if (!random.chance(lostPercent)) return undefined;
    if (!random.chance(latePercent)) return {};
    return isChange ? hold() : { late: delay(random.below(shortlyMs)) };
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
