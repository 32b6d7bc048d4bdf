import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type Document, MongoClient, MongoServerError } from 'mongodb';
import { writeWhole } from '../home/home.ts';
import type { ChildSpec } from '../processes/child-spec.ts';
import { loopback } from '../processes/ports.ts';
import { StackError } from '../stack-error.ts';
import { assertListens } from './address.ts';
import type { Program } from './launcher.ts';
import type { ServerPlace } from './server-place.ts';
import { unfitForData } from './version.ts';

const replicaSet = 'causeway';

/** @returns the address of the embedded mongod, without a database */
export function mongodbUrl(port: number): string {
  return `mongodb://${loopback}:${port}/?replicaSet=${replicaSet}&directConnection=true`;
}

/** mongod as a replica set of one, which is what transactions and change streams need. */
export function mongodbChild(program: Program, { dir, port, env }: ServerPlace): ChildSpec {
  const launcher = program.launcherFor({ name: 'mongodb', dir, ports: [port.port] });
  const files = path.join(dir, 'files');
  const versionFile = path.join(dir, 'version');
  const args = [
    ...['--dbpath', files, '--port', String(port.port), '--bind_ip', launcher.bind, '--nounixsocket'],
    ...['--replSet', replicaSet, '--oplogMinRetentionHours', '2', '--oplogSize', '990'],
    ...['--wiredTigerCacheSizeGB', '0.25', '--setParameter', 'diagnosticDataCollectionEnabled=false'],
  ];
  return {
    name: 'mongodb',
    kind: 'server',
    ...launcher.commandLine(args),
    env,
    cwd: dir,
    address: `mongodb://${loopback}:${port.port}`,
    ports: [port],
    prepare: () => {
      mkdirSync(files, { recursive: true });
      const unfit = existsSync(versionFile)
        ? unfitForData(readFileSync(versionFile, 'utf8').trim(), program.version)
        : undefined;
      if (unfit !== undefined) throw new StackError(`${unfit} (${program.origin}): use that version, or npm run reset`);
      writeWhole(versionFile, `${program.version}\n`);
    },
    probe: (signal) => becomePrimary(port.port, signal),
    readyTimeoutMs: 90_000,
    stopTimeoutMs: 20_000,
    ...(launcher.cleanUp === undefined ? {} : { cleanUp: launcher.cleanUp }),
  };
}

async function becomePrimary(port: number, signal: AbortSignal): Promise<void> {
  await assertListens(port, signal);
  const client = new MongoClient(`mongodb://${loopback}:${port}/?directConnection=true`, {
    serverSelectionTimeoutMS: 2000,
    appName: 'causeway-stack',
  });
  try {
    const admin = client.db('admin');
    const hello = await admin.command({ hello: 1 });
    if (hello.isWritablePrimary === true) return;
    const host = `${loopback}:${port}`;
    const config = await configuration((command) => admin.command(command));
    if (config === undefined) {
      await admin.command({ replSetInitiate: { _id: replicaSet, members: [{ _id: 0, host }] } });
    } else if (config.members[0]?.host !== host) {
      // The data is that of a start on another port: the only member does not find itself in its own set.
      const version = config.version + 1;
      await admin.command({ replSetReconfig: { ...config, version, members: [{ _id: 0, host }] }, force: true });
    }
    throw new Error('it is not primary yet');
  } finally {
    await client.close();
  }
}

interface ReplicaSetConfiguration extends Document {
  readonly version: number;
  readonly members: readonly { readonly host: string }[];
}

async function configuration(
  run: (command: Document) => Promise<Document>,
): Promise<ReplicaSetConfiguration | undefined> {
  try {
    return (await run({ replSetGetConfig: 1 })).config as ReplicaSetConfiguration;
  } catch (error) {
    if (error instanceof MongoServerError && error.codeName === 'NotYetInitialized') return undefined;
    throw error;
  }
}
