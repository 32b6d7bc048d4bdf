import { rm } from 'node:fs/promises';
import process from 'node:process';
import { externalSettings } from '../settings.ts';
import { StackError } from '../stack-error.ts';
import type { ServerName } from '../topology.ts';

interface Running {
  readonly urls: Readonly<Record<ServerName, string>>;
  readonly stop: () => Promise<void>;
}

/**
 * Runs `body` with `MONGODB_URL`, `KAFKA_BROKERS` and `REDIS_URL` in the environment: those that are there if all are, else
 * servers of its own, which are gone afterwards. `CAUSEWAY_TEST_SERVERS=containers` takes them from Docker.
 *
 * @throws StackError when servers cannot be had, or containers are asked for where no Docker answers
 */
export async function withTestServers<T>(body: () => Promise<T>): Promise<T> {
  const kind = process.env.CAUSEWAY_TEST_SERVERS ?? '';
  if (kind !== '' && kind !== 'containers') {
    throw new StackError(`CAUSEWAY_TEST_SERVERS can be containers, and nothing else; it is ${kind}`);
  }
  const isGiven = Object.values(externalSettings).every((name) => (process.env[name] ?? '') !== '');
  if (isGiven && kind === '') return body();
  const running = await (kind === 'containers' ? containers() : throwAway());
  const before = { ...process.env };
  // Broken off from outside, it still leaves nothing behind.
  const breakOff = (signal: NodeJS.Signals): void => {
    void running.stop().finally(() => process.exit(signal === 'SIGINT' ? 130 : 143));
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, breakOff);
  try {
    for (const [server, name] of Object.entries(externalSettings))
      process.env[name] = running.urls[server as ServerName];
    // What runs inside finds its servers given.
    delete process.env.CAUSEWAY_TEST_SERVERS;
    return await body();
  } finally {
    process.env = before;
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, breakOff);
    await running.stop();
  }
}

// Whoever is given servers does not wait for three drivers to be loaded.
async function containers(): Promise<Running> {
  const { startContainers } = await import('./containers.ts');
  return startContainers();
}

async function throwAway(): Promise<Running> {
  const { startServers, throwAwayDir } = await import('./throw-away-servers.ts');
  const dir = await throwAwayDir();
  const { urls, stop } = await startServers({ dir });
  return {
    urls,
    stop: async () => {
      await stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
