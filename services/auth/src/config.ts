import {
  defineSettings,
  kafkaSettings,
  mongodbSettings,
  processSettings,
  readSettings,
  redisSettings,
  tokenSettings,
} from '@causeway/service';
import type { SettingsCheck, SettingValues } from '@causeway/service';

import { parseEmailAddress } from './accounts/email-address.ts';
import type { FirstAdministrator } from './accounts/first-administrator.ts';
import { administratorSettings, checkAdministratorSettings } from './settings/administrator-settings.ts';
import { checkPublicUrl } from './settings/check-public-url.ts';
import { auditSettings } from './settings/audit-settings.ts';
import { erasureSettings } from './settings/erasure-settings.ts';
import { guessingSettings } from './settings/guessing-settings.ts';
import { checkKeyRotationSettings, keyRotationSettings } from './settings/key-rotation-settings.ts';
import { checkKeySettings, keySettings, masterKeyOf } from './settings/key-settings.ts';
import { linkSettings } from './settings/link-settings.ts';
import { checkMailSettings, mailSettings } from './settings/mail-settings.ts';
import { checkPasskeySettings, passkeySettings } from './settings/passkey-settings.ts';
import { passwordSettings } from './settings/password-settings.ts';
import { checkSessionSettings, sessionSettings } from './settings/session-settings.ts';
import { signUpSettings } from './settings/sign-up-settings.ts';

/** Every setting of this service: those of a feature are in a file of `settings/`. */
export const settings = defineSettings({
  ...processSettings,
  port: { env: 'PORT', type: 'port', default: 8081, description: 'Port that the service listens on.' },
  ...mongodbSettings,
  database: {
    env: 'AUTH_DATABASE',
    type: 'string',
    default: 'causeway-auth',
    description: "This service's own database in MongoDB.",
  },
  ...kafkaSettings,
  ...redisSettings,
  ...tokenSettings,
  userUrl: {
    env: 'USER_URL',
    type: 'url',
    default: 'http://127.0.0.1:8082',
    description: 'Where user is: events that Kafka no longer holds are read there.',
  },
  dataUrl: {
    env: 'DATA_URL',
    type: 'url',
    default: 'http://127.0.0.1:8083',
    description: 'Where data is: events that Kafka no longer holds are read there.',
  },
  ...keySettings,
  ...keyRotationSettings,
  ...administratorSettings,
  ...sessionSettings,
  ...erasureSettings,
  ...passkeySettings,
  ...passwordSettings,
  ...guessingSettings,
  ...mailSettings,
  ...auditSettings,
  ...linkSettings,
  ...signUpSettings,
});

/** The configuration of this service, checked. */
export type Config = Omit<SettingValues<typeof settings>, 'masterKey'> & {
  /** Whether it was given itself, or in a file. */
  readonly masterKey: string;
  /** Undefined where the settings name nobody. */
  readonly firstAdministrator: FirstAdministrator | undefined;
};

/** Checks what no row can judge alone. */
export const checkSettings: SettingsCheck<typeof settings> = (values) => [
  ...checkSessionSettings(values),
  ...checkPublicUrl(values),
  ...checkAdministratorSettings(values),
  ...checkMailSettings(values),
  ...checkPasskeySettings(values),
  ...checkKeySettings(values),
  ...checkKeyRotationSettings(values),
];

/**
 * Makes the configuration.
 *
 * @param values - as read from the environment, and checked
 */
export function configOf(values: SettingValues<typeof settings>): Config {
  const { adminEmail, adminPassword: password } = values;
  const email = adminEmail === undefined ? undefined : parseEmailAddress(adminEmail);
  const firstAdministrator = email === undefined || password === undefined ? undefined : { email, password };
  return Object.freeze({ ...values, masterKey: masterKeyOf(values), firstAdministrator });
}

/**
 * Reads the configuration.
 *
 * @param environment - `process.env`
 * @throws SettingsError naming every setting that is missing or wrong
 */
export const readConfig = (environment: Readonly<Record<string, string | undefined>>): Config =>
  configOf(readSettings(settings, environment, checkSettings));
