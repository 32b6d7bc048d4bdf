import { defineSettings, secretOf } from '@causeway/service';
import type { SettingValues } from '@causeway/service';

/** What the keys of encrypted fields are encrypted under. */
export const fieldKeySettings = defineSettings({
  fieldKey: {
    env: 'CAUSEWAY_FIELD_KEY',
    type: 'secret',
    optional: true,
    description:
      'Encrypts the keys of encrypted fields: at least 32 random characters, such as `openssl rand -base64 32` gives. Without it, or its file, no field can be encrypted; with it lost, so is what fields held.',
  },
  fieldKeyFile: {
    env: 'CAUSEWAY_FIELD_KEY_FILE',
    type: 'string',
    optional: true,
    description:
      'Instead of `CAUSEWAY_FIELD_KEY`: a file that holds it, and that nobody else may read (mode 0640 or less).',
  },
});

type GivenKey = Partial<SettingValues<typeof fieldKeySettings>>;

/**
 * The root key as it is given.
 *
 * @returns undefined where none is set
 * @throws Error that says which setting is wrong, and never what is in it
 */
export const fieldKeyOf = ({ fieldKey, fieldKeyFile }: GivenKey): string | undefined =>
  secretOf(
    { secret: fieldKey, file: fieldKeyFile },
    { secret: fieldKeySettings.fieldKey.env, file: fieldKeySettings.fieldKeyFile.env },
  );

/** @returns what is wrong with the root key as it is given */
export const checkFieldKeySettings = (given: GivenKey): string[] => {
  try {
    fieldKeyOf(given);
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
};
