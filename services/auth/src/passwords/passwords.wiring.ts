import { createGauge } from '@causeway/telemetry';

import type { Ground } from '../feature.ts';
import { createBreachedPasswords } from './blocklist/breached-passwords.ts';
import { loadCommonPasswords } from './blocklist/load-common-passwords.ts';
import { createBoundedWork } from './bounded-work.ts';
import { hashConcurrency } from './hash-concurrency.ts';
import { createJudgePassword } from './judge-password.ts';
import { createPasswordHasher } from './password-hasher.ts';
import { createRenewHash } from './renew-hash.ts';

/** How passwords are judged when they are chosen, hashed, and compared. */
export async function createPasswords({ config, logger, accounts }: Pick<Ground, 'config' | 'logger' | 'accounts'>) {
  const { hashQueueLimit: queueLimit, breachedPasswordsUrl: url } = config;
  const hashing = createBoundedWork({ concurrency: hashConcurrency(), queueLimit });
  createGauge(
    'causeway.auth.hashes.waiting',
    { description: 'Passwords that wait for a core.' },
    () => hashing.load().waiting,
  );
  const passwords = await createPasswordHasher(hashing);
  const isBreached = url === undefined ? undefined : createBreachedPasswords({ url, logger });
  return {
    passwords,
    judgePassword: createJudgePassword({ isCommon: await loadCommonPasswords(), isBreached }),
    renewHash: createRenewHash({ accounts, passwords, logger }),
  };
}

/** What {@link createPasswords} gives. */
export type Passwords = Awaited<ReturnType<typeof createPasswords>>;
