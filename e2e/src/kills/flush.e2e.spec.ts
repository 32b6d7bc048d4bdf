import { after, before, describe, it } from 'node:test';
import { flushRedis } from '../harness/flush-redis.ts';
import { addressOf } from '../harness/platform.ts';
import { startSubscriber, type Subscriber } from '../harness/subscriber.ts';
import { seed, seededRandom } from './seeded-random.ts';
import { survives } from './survives.ts';

describe(`a flush of Redis under writes (CAUSEWAY_TEST_SEED=${seed})`, () => {
  let subscriber: Subscriber;

  before(() => {
    subscriber = startSubscriber(addressOf('kafka'));
  });
  after(() => subscriber.stop());

  it('loses nothing that was acknowledged, and lets no revoked token in', (context) =>
    survives({ name: 'flushed', harm: flushRedis, moment: seededRandom(seed)(), subscriber }, context));
});
