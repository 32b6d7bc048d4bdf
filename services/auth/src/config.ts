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
import { newPassword } from './passwords/password.ts';

const dayMs = 24 * 60 * 60 * 1000;

/** Every setting of this service. */
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
  masterKey: {
    env: 'CAUSEWAY_MASTER_KEY',
    type: 'secret',
    minLength: 32,
    description:
      'Encrypts the signing keys at rest and derives refresh tokens: at least 32 random characters, such as `openssl rand -base64 32` gives. Without it every session is lost.',
  },
  adminEmail: {
    env: 'CAUSEWAY_ADMIN_EMAIL',
    type: 'string',
    optional: true,
    description:
      'E-mail address of the first administrator, whose account is made at start. Where somebody has signed up with it and has another password, the service does not start.',
  },
  adminPassword: {
    env: 'CAUSEWAY_ADMIN_PASSWORD',
    type: 'secret',
    optional: true,
    description: 'Password that the account of the first administrator is made with; one that is there keeps its own.',
  },
  sessionIdleMs: {
    env: 'SESSION_IDLE_LIFETIME',
    type: 'duration',
    default: 30 * dayMs,
    min: 60_000,
    description: 'A session that is not refreshed for so long is over.',
  },
  sessionAbsoluteMs: {
    env: 'SESSION_ABSOLUTE_LIFETIME',
    type: 'duration',
    default: 90 * dayMs,
    min: 60_000,
    description: 'However much it is used, a session is over after so long.',
  },
  erasureSettleMs: {
    env: 'ERASURE_SETTLE_TIME',
    type: 'duration',
    default: 360_000,
    min: 1_000,
    description:
      'When somebody who is erased is looked for once more, in all that calls in flight have written: the life of an access token and a minute for clocks that differ. Shorter only where nobody calls, in tests.',
  },
  erasureAnswerMs: {
    env: 'ERASURE_ANSWER_TIME',
    type: 'duration',
    default: 3_600_000,
    min: 1_000,
    description: 'A service that has not removed somebody so long after that is told of in the log and by an event.',
  },
  breachedPasswordsUrl: {
    env: 'BREACHED_PASSWORDS_URL',
    type: 'url',
    optional: true,
    description:
      'Where a password that somebody chooses is looked up among those of breaches too, by the first five characters of its SHA-1 (k-anonymity), such as `https://api.pwnedpasswords.com/range/`; nobody is asked if not set.',
  },
  hashQueueLimit: {
    env: 'PASSWORD_QUEUE_LIMIT',
    type: 'integer',
    default: 200,
    min: 1,
    max: 10_000,
    description: 'How many sign-ins and sign-ups may wait for a core to hash on; more are answered with 503.',
  },
});

/** The configuration of this service, checked. */
export type Config = SettingValues<typeof settings> & {
  /** Undefined where the settings name nobody. */
  readonly firstAdministrator: FirstAdministrator | undefined;
};

/** Checks what no row can judge alone. */
export const checkSettings: SettingsCheck<typeof settings> = (values) => {
  const { adminEmail, adminPassword, sessionIdleMs, sessionAbsoluteMs } = values;
  const problems: string[] = [];
  if (sessionIdleMs !== undefined && sessionAbsoluteMs !== undefined && sessionAbsoluteMs < sessionIdleMs) {
    problems.push(`${settings.sessionAbsoluteMs.env} must not be shorter than ${settings.sessionIdleMs.env}`);
  }
  if (adminEmail !== undefined && parseEmailAddress(adminEmail) === undefined) {
    problems.push(`${settings.adminEmail.env} must be an e-mail address`);
  }
  if (adminPassword !== undefined && !newPassword.safeParse(adminPassword).success) {
    problems.push(`${settings.adminPassword.env} must have 10 to 256 characters`);
  }
  if ((adminEmail === undefined) !== (adminPassword === undefined)) {
    problems.push(`${settings.adminEmail.env} and ${settings.adminPassword.env} go together: set both or neither`);
  }
  return problems;
};

/**
 * Makes the configuration.
 *
 * @param values - as read from the environment, and checked
 */
export function configOf(values: SettingValues<typeof settings>): Config {
  const { adminEmail, adminPassword: password } = values;
  const email = adminEmail === undefined ? undefined : parseEmailAddress(adminEmail);
  const firstAdministrator = email === undefined || password === undefined ? undefined : { email, password };
  return Object.freeze({ ...values, firstAdministrator });
}

/**
 * Reads the configuration.
 *
 * @param environment - `process.env`
 * @throws SettingsError naming every setting that is missing or wrong
 */
export const readConfig = (environment: Readonly<Record<string, string | undefined>>): Config =>
  configOf(readSettings(settings, environment, checkSettings));
