import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { Unavailable } from '../sources/source.ts';
import { compareVersions, versionIn } from './version.ts';

const versionTimeoutMs = 20_000;

/** @returns the program's file on the PATH, or `undefined` */
export function onPath(name: string, searchPath: string | undefined): string | undefined {
  for (const folder of (searchPath ?? '').split(path.delimiter).filter((each) => each !== '')) {
    const file = path.join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      continue;
    }
  }
  return undefined;
}

/**
 * Asks a program for its version, which also shows that it runs here at all.
 *
 * @throws Unavailable when it does not run, says no version, or one older than `oldest`
 */
export function checkedVersion(file: string, oldestVersion: string): string {
  const result = spawnSync(file, ['--version'], { encoding: 'utf8', timeout: versionTimeoutMs });
  if (result.status !== 0) {
    const words = (result.error?.message ?? result.stderr.trim().split('\n')[0] ?? '').slice(0, 200);
    throw new Unavailable(`${file} does not run here: ${words}`);
  }
  const version = versionIn(result.stdout + result.stderr);
  if (version === undefined) throw new Unavailable(`${file} does not say its version`);
  if (compareVersions(version, oldestVersion) < 0) {
    throw new Unavailable(`${file} is ${version}, and ${oldestVersion} or later is needed`);
  }
  return version;
}
