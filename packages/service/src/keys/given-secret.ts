import { readFileSync, statSync } from 'node:fs';

/** A secret as it is given: itself, or in a file. */
export interface GivenSecret {
  readonly secret?: string | undefined;
  readonly file?: string | undefined;
}

/** The settings that are spoken of. */
export interface SecretNames {
  readonly secret: string;
  readonly file: string;
}

const minLength = 32;

/** Read and written by who owns it, read by its group. */
const widestMode = 0o640;

const readSecretFile = (path: string, name: string): string => {
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
 * A secret of at least 32 characters that a setting gives, or a file of mode 0640 or less that another one names.
 *
 * @param given - itself or its file, and not both
 * @param names - the settings, for what is said of them
 * @returns undefined where neither is given
 * @throws Error that says which setting is wrong, and never what is in it
 */
export function secretOf({ secret, file }: GivenSecret, names: SecretNames): string | undefined {
  if (secret !== undefined && file !== undefined)
    throw new Error(`${names.secret} or ${names.file} has to be set, and not both`);
  const given = file === undefined ? secret : readSecretFile(file, names.file);
  if (given !== undefined && given.length < minLength)
    throw new Error(`${names.secret} must have at least ${minLength} characters`);
  return given;
}
