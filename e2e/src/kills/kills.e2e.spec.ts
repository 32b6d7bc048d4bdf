import process from 'node:process';
import { after, before, describe, it } from 'node:test';
import { killAndWait } from '../harness/kill-and-wait.ts';
import { addressOf } from '../harness/platform.ts';
import { startSubscriber, type Subscriber } from '../harness/subscriber.ts';
import { seed, seededRandom, shuffled } from './seeded-random.ts';
import { recoveryMs, survives } from './survives.ts';

const victims = ['mongodb', 'kafka', 'redis', 'auth', 'user', 'data', 'gateway'] as const;
type Victim = (typeof victims)[number];

const longRounds = 5;

const isLong = process.env.CAUSEWAY_TEST_LONG !== undefined;
const random = seededRandom(seed);

describe(`kill -9 under writes (CAUSEWAY_TEST_SEED=${seed})`, () => {
  let subscriber: Subscriber;

  before(() => {
    subscriber = startSubscriber(addressOf('kafka'));
  });
  after(() => subscriber.stop());

  const harmOf = (killed: readonly Victim[]) => ({
    name: killed.join(' and '),
    harm: () => killAndWait(killed, recoveryMs),
    moment: random(),
    subscriber,
  });

  for (const name of shuffled(victims, random)) {
    it(`of ${name} loses nothing that was acknowledged`, (context) => survives(harmOf([name]), context));
  }

  if (isLong) {
    for (let round = 1; round <= longRounds; round += 1) {
      const [one, other] = shuffled(victims, random) as [Victim, Victim];
      it(`of ${one} and ${other} at once, round ${round}`, (context) => survives(harmOf([one, other]), context));
    }
  }
});
