import { existsSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Reporter } from '../report.ts';
import { fetchArchive } from '../sources/archive.ts';
import type { Cache } from '../sources/cache.ts';
import { fetchJars } from '../sources/jars.ts';
import kafkaJars from '../sources/kafka-jars.json' with { type: 'json' };
import { images, kafkaArchive, kafkaVersion } from '../sources/pins.ts';
import { firstOf, type Source, Unavailable } from '../sources/source.ts';
import { findJava } from './find-java.ts';
import { binary, container, dockerAnswers, type Program } from './launcher.ts';
import { compareVersions, oldest, versionIn } from './version.ts';

const install =
  'Install Kafka 4.0 or later and set KAFKA_HOME (https://kafka.apache.org/downloads), or set KAFKA_BROKERS.';

/** One node, little traffic, a start that somebody waits for: the first compiler and the simplest collector are enough. */
export const jvmFlags = [
  '-XX:TieredStopAtLevel=1',
  '-XX:+UseSerialGC',
  '-Xms64m',
  '-Xmx256m',
  '-Djava.awt.headless=true',
];

/** Finds Kafka and a Java to run it with, or fetches them. Its program takes a class of Kafka's and that one's arguments. */
export function findKafka(env: NodeJS.ProcessEnv, cache: Cache, reporter: Reporter): Promise<Program> {
  const withJava = async (folder: string, version: string, origin: string): Promise<Program> => {
    const java = await findJava(env, cache, reporter);
    return { version, origin, launcherFor: binary(java, [...jvmFlags, '-cp', path.join(folder, '*')]) };
  };
  const sources: Source<Program>[] = [
    {
      name: 'KAFKA_HOME',
      find: () => {
        if (env.KAFKA_HOME === undefined || env.KAFKA_HOME === '') return undefined;
        const libs = path.join(env.KAFKA_HOME, 'libs');
        return withJava(libs, installedVersion(libs), env.KAFKA_HOME);
      },
    },
    ...downloads(cache, reporter).map(({ name, find }) => ({
      name,
      find: async () => {
        const folder = await find();
        return folder === undefined ? undefined : withJava(folder, kafkaVersion, name);
      },
    })),
    {
      name: 'Docker',
      find: () => {
        if (!dockerAnswers()) return undefined;
        const launcherFor = container(images.kafka, 'java', [...jvmFlags, '-cp', '/opt/kafka/libs/*']);
        return { version: kafkaVersion, origin: `Docker, ${images.kafka}`, launcherFor };
      },
    },
  ];
  return firstOf('Kafka', sources, install, reporter);
}

/** @throws Unavailable when there is no Kafka in that folder, or one that is too old */
export function installedVersion(libs: string): string {
  const jar = existsSync(libs) ? readdirSync(libs).find((name) => /^kafka-clients-.*\.jar$/.test(name)) : undefined;
  const version = versionIn(jar ?? '');
  if (version === undefined) throw new Unavailable(`there is no Kafka in ${path.dirname(libs)}`);
  if (compareVersions(version, oldest.kafka) < 0) {
    throw new Unavailable(`Kafka there is ${version}, and ${oldest.kafka} or later is needed`);
  }
  return version;
}

function downloads(cache: Cache, reporter: Reporter): Source<string>[] {
  const keys = { archive: `kafka-${kafkaVersion}-release`, jars: `kafka-${kafkaVersion}-jars` };
  const inCache = (key: string, libs: string): Source<string> => ({
    name: `the cache, ${key}`,
    find: () => {
      const folder = cache.find(key);
      return folder === undefined ? undefined : path.join(folder, libs);
    },
  });
  const byArchive: Source<string> = {
    name: 'the download from Apache',
    find: async () => {
      const make = async (draft: string): Promise<void> => {
        await fetchArchive('kafka', kafkaArchive, draft, reporter);
        rmSync(path.join(draft, path.posix.basename(kafkaArchive.url)));
        rmSync(path.join(draft, 'site-docs'), { recursive: true, force: true });
      };
      return path.join(await cache.obtain(keys.archive, make, reporter), 'libs');
    },
  };
  const byJars: Source<string> = {
    name: 'the jars of Maven Central',
    find: () => cache.obtain(keys.jars, (draft) => fetchJars('kafka', kafkaJars, draft, reporter), reporter),
  };
  return [inCache(keys.archive, 'libs'), inCache(keys.jars, '.'), byArchive, byJars];
}
