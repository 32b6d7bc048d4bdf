import { readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { readSettings } from '@causeway/stack';

const checkout = path.resolve(import.meta.dirname, '../../..');

/** The platform that `npm start` runs. */
export interface RunningPlatform {
  readonly url: string;
  readonly adminEmail: string;
  readonly adminPassword: string;
}

/**
 * Finds the platform that runs in this checkout's home, `.causeway`, or in `CAUSEWAY_HOME`.
 *
 * @throws Error in words for a person when there is none, or one without services
 */
export function findRunningPlatform(): RunningPlatform {
  const { home, adminEmail, adminPassword } = readSettings(checkout, process.env);
  const read = (file: string): string => {
    try {
      return readFileSync(path.join(home, file), 'utf8');
    } catch (error) {
      throw new Error(`nothing is running in ${home}: start the platform first, with npm start`, { cause: error });
    }
  };
  const { address } = JSON.parse(read('stack.lock')) as { address: string };
  if (!URL.canParse(address)) {
    throw new Error(`what runs in ${home} is ${address}: the services are needed too, so npm run stop, then npm start`);
  }
  return { url: address, adminEmail, adminPassword: adminPassword ?? read('admin-password').trim() };
}
