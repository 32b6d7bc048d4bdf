import { defineSettings } from '@causeway/service';
import type { SettingsCheck } from '@causeway/service';

import { parseEmailAddress } from '../accounts/email-address.ts';
import { newPassword } from '../passwords/password.ts';

/** Who the first administrator is. */
export const administratorSettings = defineSettings({
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
});

/** An address and a password, both or neither. */
export const checkAdministratorSettings: SettingsCheck<typeof administratorSettings> = (values) => {
  const { adminEmail, adminPassword } = values;
  const { adminEmail: email, adminPassword: password } = administratorSettings;
  const problems: string[] = [];
  if (adminEmail !== undefined && parseEmailAddress(adminEmail) === undefined) {
    problems.push(`${email.env} must be an e-mail address`);
  }
  if (adminPassword !== undefined && !newPassword.safeParse(adminPassword).success) {
    problems.push(`${password.env} must have 10 to 256 characters`);
  }
  if ((adminEmail === undefined) !== (adminPassword === undefined)) {
    problems.push(`${email.env} and ${password.env} go together: set both or neither`);
  }
  return problems;
};
