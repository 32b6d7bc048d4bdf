import { defineSettings, secretOf } from '@causeway/service';

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

/**
 * The master key that is given.
 *
 * @param given - itself or its file, and not both
 * @param names - the settings, for what is said of them
 * @throws Error that says which setting is wrong, and never what is in it
 */
export function masterKeyOf({ masterKey, masterKeyFile }: GivenKey, { key, file }: Names = ownNames): string {
  const given = secretOf({ secret: masterKey, file: masterKeyFile }, { secret: key, file });
  if (given === undefined) throw new Error(`${key} or ${file} has to be set, and not both`);
  return given;
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
