import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { ChildSpec } from '../processes/child-spec.ts';
import { freePorts, loopback } from '../processes/ports.ts';
import { silent } from '../report.ts';
import { assertListens } from '../servers/address.ts';
import { findMongodb } from '../servers/find-mongodb.ts';
import type { StackSettings } from '../settings.ts';
import { Cache } from '../sources/cache.ts';

/** Of an oplog: the least that one can be resized to. */
const resizableMegabytes = 990;

/**
 * Members of a replica set that nobody has initiated yet.
 *
 * @param dir - for their data
 * @param oplogMegabytes - of the oplog of each; less than the default cannot be changed while they run
 */
export async function memberChildren(
  settings: Pick<StackSettings, 'env' | 'cache'>,
  dir: string,
  replicaSet: string,
  count: number,
  oplogMegabytes = resizableMegabytes,
): Promise<readonly { readonly port: number; readonly spec: ChildSpec }[]> {
  const { env } = settings;
  const program = await findMongodb(env.PATH, new Cache(settings.cache), silent);
  return (await freePorts(count)).map((port, index) => {
    const name = `${replicaSet}-${index + 1}`;
    const home = path.join(dir, name);
    const files = path.join(home, 'files');
    const launcher = program.launcherFor({ name, dir: home, ports: [port] });
    const args = [
      ...['--dbpath', files, '--port', String(port), '--bind_ip', launcher.bind, '--nounixsocket'],
      ...['--replSet', replicaSet, '--oplogSize', String(oplogMegabytes), '--wiredTigerCacheSizeGB', '0.25'],
      ...['--setParameter', 'diagnosticDataCollectionEnabled=false'],
    ];
    const spec: ChildSpec = {
      ...{ name, kind: 'server', ...launcher.commandLine(args), cwd: dir },
      env: { PATH: env.PATH, HOME: env.HOME, TMPDIR: env.TMPDIR },
      address: `mongodb://${loopback}:${port}`,
      ports: [{ port, setting: name }],
      prepare: () => void mkdirSync(files, { recursive: true }),
      probe: (signal) => assertListens(port, signal),
      readyTimeoutMs: 90_000,
      stopTimeoutMs: 20_000,
      ...(launcher.cleanUp === undefined ? {} : { cleanUp: launcher.cleanUp }),
    };
    return { port, spec };
  });
}
