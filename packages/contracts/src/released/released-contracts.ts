import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

import type { EventData } from '../event-contract.ts';
import type { JsonSchema } from './json-schema.ts';

/** Data of events, by what each of them shows: `minimal`, `full`. */
export type Samples = Readonly<Record<string, EventData>>;

/** What is kept of a version of a contract. */
export interface KeptVersion {
  readonly type: string;
  readonly version: number;
  /** Absent where samples lie ready for a version that is not released yet. */
  readonly schema?: JsonSchema;
  readonly samples?: Samples;
}

/** What is kept, by {@link keyOf}. */
export type KeptVersions = ReadonlyMap<string, KeptVersion>;

/** Where released contracts are kept. */
export const releasedFolder: string = path.join(import.meta.dirname, '../../released');

/** `auth.account.created 1`: how a version is named in words, and found. */
export const keyOf = ({ type, version }: Pick<KeptVersion, 'type' | 'version'>): string => `${type} ${version}`;

/** The file that holds a part of a version, from the folder on. */
export const fileOf = ({ type, version }: Pick<KeptVersion, 'type' | 'version'>, part: 'schema' | 'samples'): string =>
  path.join(type, `${version}.${part}.json`);

const form = /^([a-z][\w.-]*)[/\\]([1-9]\d*)\.(schema|samples)\.json$/;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const parsed = async (file: string, part: string): Promise<unknown> => {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new Error(`${file} cannot be read as JSON`, { cause: error });
  }
  if (isObject(value) && (part === 'schema' || Object.values(value).every(isObject))) return value;
  throw new Error(part === 'schema' ? `${file} is no object` : `${file} is no object of named samples, each an object`);
};

/**
 * Reads the released contracts and their samples.
 *
 * @param folder - {@link releasedFolder}
 * @throws Error with the file's name where it is none that belongs there
 */
export const readReleased = async (folder: string = releasedFolder): Promise<KeptVersions> => {
  const kept = new Map<string, KeptVersion>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue;
    const file = path.join(entry.parentPath, entry.name);
    const [, type, number, part] = form.exec(path.relative(folder, file)) ?? [];
    if (type === undefined || part === undefined) {
      throw new Error(`${file} is no <type>/<version>.schema.json or .samples.json`);
    }
    const place = { type, version: Number(number) };
    const value = await parsed(file, part);
    kept.set(keyOf(place), { ...place, ...kept.get(keyOf(place)), [part]: value });
  }
  return kept;
};
