import { faults } from '@causeway/contracts';
import type { Timestamp } from 'mongodb';

import type { Profile, ProfileQueries } from './profile.model.ts';

/** A profile comes from its account's event: within so long, or it is said that it takes longer. */
export const patienceMs = 2000;

/** What {@link createAwaitProfile} is given. */
export interface AwaitProfileDependencies {
  readonly profiles: ProfileQueries;
  /** Whether somebody has been erased: their token may outlive them by a moment. */
  readonly isErased: (accountId: string) => Promise<boolean>;
  /** Calls back at each committed change of a profile, by whichever replica. */
  readonly onChange: (listener: (profileId: string) => void) => unknown;
  /** How many calls may wait. */
  readonly waitersLimit: number;
  readonly patienceMs?: number;
}

/**
 * Reads the profile of somebody who is signed in: their account is there, so the profile is, or is on its way. Nothing older than
 * `after` is read.
 */
export type AwaitProfile = (accountId: string, signal: AbortSignal, after?: Timestamp) => Promise<Profile>;

/**
 * @returns the reader; it throws fault `unavailable` with `Retry-After` where the profile has not come in time, and
 *   `unauthenticated` where it never will
 */
export function createAwaitProfile(dependencies: AwaitProfileDependencies): AwaitProfile {
  const { profiles, isErased, onChange, waitersLimit } = dependencies;
  const waiters = new Map<string, Set<() => void>>();
  let waiting = 0;
  onChange((profileId) => waiters.get(profileId)?.forEach((wake) => wake()));

  const change = (
    accountId: string,
    signal: AbortSignal,
  ): { readonly happened: Promise<undefined>; forget(): void } => {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    // A change that comes while nobody awaits it must not be an unhandled rejection.
    promise.catch(() => undefined);
    const late = AbortSignal.any([signal, AbortSignal.timeout(dependencies.patienceMs ?? patienceMs)]);
    const giveUp = (): void =>
      reject(faults.unavailable({ retryAfterS: 1, message: `the profile of ${accountId} has not come yet` }));
    late.addEventListener('abort', giveUp, { once: true });
    const wake = (): void => resolve(undefined);
    const own = waiters.get(accountId) ?? new Set();
    waiters.set(accountId, own.add(wake));
    waiting += 1;
    return {
      happened: promise,
      forget: () => {
        waiting -= 1;
        own.delete(wake);
        if (own.size === 0) waiters.delete(accountId);
        late.removeEventListener('abort', giveUp);
      },
    };
  };

  return async (accountId, signal, after) => {
    const there = await profiles.byId(accountId, after);
    if (there !== undefined) return there;
    if (await isErased(accountId))
      throw faults.unauthenticated({ message: 'the person of this token has been erased' });
    if (waiting >= waitersLimit) throw faults.unavailable({ retryAfterS: 1, message: 'too many wait for profiles' });
    const next = change(accountId, signal);
    try {
      // It may have come between the read and the listening.
      const meanwhile = await profiles.byId(accountId);
      if (meanwhile !== undefined) return meanwhile;
      await next.happened;
    } finally {
      next.forget();
    }
    const profile = await profiles.byId(accountId);
    if (profile === undefined) throw faults.unavailable({ retryAfterS: 1, message: 'the profile has gone again' });
    return profile;
  };
}
