import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { homeAt } from '../home/home.ts';
import { lockHolder } from '../home/lock.ts';
import { startPlatform } from '../platform/start-platform.ts';
import { endStrays } from '../processes/strays.ts';
import { type Reporter, silent } from '../report.ts';
import { throwAwaySettings } from '../settings.ts';
import type { ServerName } from '../topology.ts';
import { memberChildren } from './member-children.ts';
import { testChild, type TestChild } from './test-child.ts';

/** MongoDB, Kafka and Redis of a test's own. */
export interface TestServers {
  /** As `MONGODB_URL` (without a database), `KAFKA_BROKERS` and `REDIS_URL` want them. */
  readonly urls: Readonly<Record<ServerName, string>>;
  readonly servers: Readonly<Record<ServerName, TestChild>>;
  /**
   * Starts members of a replica set beside them; whoever asks for them initiates it.
   *
   * @param oplogMegabytes - of the oplog of each
   * @returns their ports
   */
  readonly startMembers: (replicaSet: string, count: number, oplogMegabytes?: number) => Promise<readonly number[]>;
  readonly stop: () => Promise<void>;
}

export const checkout = path.resolve(import.meta.dirname, '../../../..');
const prefix = 'causeway-test-';

/** Starts the three servers on free ports, with their data in `dir`, which stays when they are stopped. */
export async function startServers({
  dir,
  reporter = silent,
}: {
  dir: string;
  reporter?: Reporter;
}): Promise<TestServers> {
  const settings = await throwAwaySettings(checkout, dir);
  const platform = await startPlatform({ settings, serversOnly: true, mode: 'source', reporter });
  const child = (name: ServerName): TestChild => testChild(platform.supervisor, name);
  return {
    urls: platform.servers,
    servers: { mongodb: child('mongodb'), kafka: child('kafka'), redis: child('redis') },
    async startMembers(replicaSet, count, oplogMegabytes) {
      const members = await memberChildren(settings, platform.home.data, replicaSet, count, oplogMegabytes);
      await platform.supervisor.start(members.map(({ spec }) => spec));
      return members.map(({ port }) => port);
    },
    stop: platform.stop,
  };
}

/** Makes a folder for servers that nobody needs again, and clears away what killed runs have left of theirs. */
export async function throwAwayDir(): Promise<string> {
  // A run of the end-to-end tests has a file of its own beside its folder.
  const folders = (await readdir(tmpdir(), { withFileTypes: true })).filter((each) => each.isDirectory());
  for (const { name } of folders.filter((each) => each.name.startsWith(prefix))) {
    const home = homeAt(path.join(tmpdir(), name));
    if (lockHolder(home.lock) !== undefined || (await readdir(home.dir)).length === 0) continue;
    await endStrays(home.children, () => undefined);
    await rm(home.dir, { recursive: true, force: true });
  }
  return mkdtemp(path.join(tmpdir(), prefix));
}
