import { randomBytes } from 'node:crypto';

import { createCounter } from '@causeway/telemetry';
import { hash, verify } from '@node-rs/argon2';

import type { BoundedWork } from './bounded-work.ts';
import { normalizePassword } from './password.ts';

/**
 * Argon2id with 19 MiB, two passes, one lane: OWASP Password Storage Cheat Sheet. The library's default algorithm is argon2id; its
 * enumeration cannot be named here, since types are stripped.
 */
const parameters = { memoryCost: 19 * 1024, timeCost: 2, parallelism: 1, outputLen: 32 } as const;

/** Hashes and checks passwords, never more at once than the machine has cores. */
export interface PasswordHasher {
  /**
   * @param password - as typed
   * @param signal - aborted when the client has gone
   * @returns an encoded argon2id hash (PHC string) with a salt of its own
   * @throws fault `unavailable` where too many wait
   */
  hash(password: string, signal?: AbortSignal): Promise<string>;
  /**
   * @param encoded - what {@link PasswordHasher.hash} gave, or undefined where there is no such account: the same work is done, and
   *   the answer is no
   * @param password - as typed
   * @param signal - aborted when the client has gone
   * @throws fault `unavailable` where too many wait
   */
  matches(encoded: string | undefined, password: string, signal?: AbortSignal): Promise<boolean>;
  /**
   * @param encoded - what {@link PasswordHasher.hash} gave, now or years ago
   * @returns whether less work was put into it than is now
   */
  isOutdated(encoded: string): boolean;
}

/** A PHC string, as far as it says how much work there is in it. Of another algorithm or version, or unreadable: too little. */
const isOutdated = (encoded: string): boolean => {
  const [, version, memory, passes] = /^\$argon2id\$v=(\d+)\$m=(\d+),t=(\d+),p=\d+\$/.exec(encoded) ?? [];
  // Version 1.3 (RFC 9106 §3.1).
  return !(Number(version) >= 19 && Number(memory) >= parameters.memoryCost && Number(passes) >= parameters.timeCost);
};

/**
 * @param work - bounds how many hashes run and wait
 */
export async function createPasswordHasher(work: BoundedWork): Promise<PasswordHasher> {
  const nobodys = await hash(randomBytes(32), parameters);
  const hashes = createCounter('causeway.auth.hashes', { description: 'Passwords that were hashed.' });
  const counted = <T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T> =>
    work.run(() => {
      hashes.add(1);
      return task();
    }, signal);
  return {
    hash: (password, signal) => counted(() => hash(normalizePassword(password), parameters), signal),
    async matches(encoded, password, signal) {
      const right = await counted(() => verify(encoded ?? nobodys, normalizePassword(password)), signal);
      return right && encoded !== undefined;
    },
    isOutdated,
  };
}
