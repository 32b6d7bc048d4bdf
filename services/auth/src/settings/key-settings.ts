import { readFileSync, statSync } from 'node:fs';

import { defineSettings } from '@causeway/service';

const minLength = 32;

/** What the root key is encrypted under. */
export const keySettings = defineSettings({
  masterKey: {
    env: 'CAUSEWAY_MASTER_KEY',
    type: 'secret',
    optional: true,
    description:
      'Encrypts the root key, from which all others are derived, at rest: at least 32 random characters, such as `openssl rand -base64 32` gives. It, or its file, has to be set. Without it every session is lost.',
  },
  masterKeyFile: {
    env: 'CAUSEWAY_MASTER_KEY_FILE',
    type: 'string',
    optional: true,
    description:
      'Instead of `CAUSEWAY_MASTER_KEY`: a file that holds it, and that nobody else may read (mode 0640 or less).',
  },
});

/** A master key as it is given: itself, or in a file. */
export interface GivenKey {
  readonly masterKey?: string | undefined;
  readonly masterKeyFile?: string | undefined;
}

/** The settings that are spoken of. */
interface Names {
  readonly key: string;
  readonly file: string;
}

const ownNames: Names = { key: keySettings.masterKey.env, file: keySettings.masterKeyFile.env };

/** Read and written by who owns it, read by its group. */
const widestMode = 0o640;

const readKeyFile = (path: string, name: string): string => {
  let text: string;
  try {
    const mode = statSync(path).mode & 0o777;
    if ((mode & ~widestMode) !== 0)
      throw new Error(`${name} names a file of mode 0${mode.toString(8)}: others may read it; chmod 0600 it`);
    text = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    if (error instanceof Error && !('code' in error)) throw error;
    throw new Error(`${name} names a file that cannot be read`, { cause: error });
  }
  if (text.length < minLength) throw new Error(`${name} names a file that holds less than ${minLength} characters`);
  return text;
};

/**
 * The master key that is given.
 *
 * @param given - itself or its file, and not both
 * @param names - the settings, for what is said of them
 * @throws Error that says which setting is wrong, and never what is in it
 */
export function masterKeyOf({ masterKey, masterKeyFile }: GivenKey, names: Names = ownNames): string {
  if ((masterKey === undefined) === (masterKeyFile === undefined))
    throw new Error(`${names.key} or ${names.file} has to be set, and not both`);
  const key = masterKey ?? readKeyFile(masterKeyFile ?? '', names.file);
  if (key.length < minLength) throw new Error(`${names.key} must have at least ${minLength} characters`);
  return key;
}

/** @returns what is wrong with the master key as it is given */
export const checkKeySettings = (given: GivenKey): string[] => {
  try {
    masterKeyOf(given);
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
};
