import { Redis } from 'ioredis';
import type { ChildSpec } from '../processes/child-spec.ts';
import { loopback } from '../processes/ports.ts';
import { assertListens } from './address.ts';
import type { Program } from './launcher.ts';
import type { ServerPlace } from './server-place.ts';

/** @returns the address of the embedded Redis */
export function redisUrl(port: number): string {
  return `redis://${loopback}:${port}`;
}

/** Enough for what one replica of each service puts there, three times. */
const maxMemory = '256mb';

/**
 * Redis with an append-only file: what was acknowledged survives the end of the process. Where it is full, what would end first anyway goes
 * first: cached pages and records live a minute, and what is counted against guesses for hours and days.
 */
export function redisChild(program: Program, { dir, port, env }: ServerPlace): ChildSpec {
  const launcher = program.launcherFor({ name: 'redis', dir, ports: [port.port] });
  const args = [
    ...['--port', String(port.port), '--bind', launcher.bind, '--dir', dir],
    ...['--appendonly', 'yes', '--appendfsync', 'everysec', '--save', ''],
    ...['--maxmemory', maxMemory, '--maxmemory-policy', 'volatile-ttl'],
  ];
  return {
    name: 'redis',
    kind: 'server',
    ...launcher.commandLine(args),
    env,
    cwd: dir,
    address: redisUrl(port.port),
    ports: [port],
    probe: (signal) => answersPing(port.port, signal),
    readyTimeoutMs: 60_000,
    stopTimeoutMs: 10_000,
    ...(launcher.cleanUp === undefined ? {} : { cleanUp: launcher.cleanUp }),
  };
}

async function answersPing(port: number, signal: AbortSignal): Promise<void> {
  await assertListens(port, signal);
  const redis = new Redis(port, loopback, { lazyConnect: true, commandTimeout: 2000, retryStrategy: () => null });
  // What goes wrong rejects the promises below; without a listener the driver prints it as well.
  redis.on('error', () => undefined);
  try {
    // While it reads its file it answers LOADING.
    await redis.ping();
  } finally {
    redis.disconnect();
  }
}
