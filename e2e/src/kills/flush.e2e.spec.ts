import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { addressOf } from '../harness/platform.ts';
import { startSubscriber, type Subscriber } from '../harness/subscriber.ts';
import { seed, seededRandom } from './seeded-random.ts';
import { survives } from './survives.ts';

/** Redis forgets everything: caches, limits, the index of sessions, revocations. */
async function flush(): Promise<void> {
  const { hostname, port } = new URL(addressOf('redis'));
  const socket = connect(Number(port), hostname);
  // RESP: https://redis.io/docs/latest/develop/reference/protocol-spec/
  socket.write('*1\r\n$8\r\nFLUSHALL\r\n');
  const [answer] = (await once(socket, 'data', { signal: AbortSignal.timeout(10_000) })) as [Buffer];
  socket.destroy();
  assert.equal(answer.toString(), '+OK\r\n');
}

describe(`a flush of Redis under writes (CAUSEWAY_TEST_SEED=${seed})`, () => {
  let subscriber: Subscriber;

  before(() => {
    subscriber = startSubscriber(addressOf('kafka'));
  });
  after(() => subscriber.stop());

  it('loses nothing that was acknowledged, and lets no revoked token in', (context) =>
    survives({ name: 'flushed', harm: flush, moment: seededRandom(seed)(), subscriber }, context));
});
