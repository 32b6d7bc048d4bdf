import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { codeOf } from '../stack-error.ts';
import type { Home } from './home.ts';

/** What only the owner of the checkout may read: never printed, never logged. */
export interface Secrets {
  /** The first administrator's password: 24 characters, 144 bits. */
  readonly adminPassword: string;
  /** 32 random bytes in base64, with which auth encrypts what it must be able to read again. */
  readonly masterKey: string;
  /** 32 random bytes in base64, by which the services know each other. */
  readonly internalKey: string;
  /** 32 random bytes in base64, under which data encrypts the keys of encrypted fields. */
  readonly fieldKey: string;
}

/** Reads the secrets of a home, made at random the first time, in files of mode 0600. */
export function secretsOf(home: Home): Secrets {
  return {
    adminPassword: secret(home.adminPassword, () => randomBytes(18).toString('base64url')),
    masterKey: secret(home.masterKey, () => randomBytes(32).toString('base64')),
    internalKey: secret(home.internalKey, () => randomBytes(32).toString('base64')),
    fieldKey: secret(home.fieldKey, () => randomBytes(32).toString('base64')),
  };
}

function secret(file: string, make: () => string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  // Written beside and linked: the file appears whole, and if somebody was faster, theirs counts.
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${make()}\n`, { mode: 0o600, flag: 'wx' });
  try {
    linkSync(draft, file);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  } finally {
    unlinkSync(draft);
  }
  return readFileSync(file, 'utf8').trim();
}
