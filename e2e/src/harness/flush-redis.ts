import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { addressOf } from './platform.ts';

/** Redis forgets everything: caches, limits, guesses, the index of sessions, revocations. */
export async function flushRedis(): Promise<void> {
  const { hostname, port } = new URL(addressOf('redis'));
  const socket = connect(Number(port), hostname);
  // RESP: https://redis.io/docs/latest/develop/reference/protocol-spec/
  socket.write('*1\r\n$8\r\nFLUSHALL\r\n');
  const [answer] = (await once(socket, 'data', { signal: AbortSignal.timeout(10_000) })) as [Buffer];
  socket.destroy();
  assert.equal(answer.toString(), '+OK\r\n');
}
