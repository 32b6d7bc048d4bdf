import { createHmac, createSecretKey } from 'node:crypto';

import { Fault } from '@causeway/contracts';
import { addressBlock } from '@causeway/service';
import { createCounter } from '@causeway/telemetry';

import type { GuessCounters, Guesser, Taking } from './counters.ts';
import type { Guess } from './guess.ts';
import type { GuessJournal } from './guess-journal.ts';
import { tooManyAttempts } from './guessing.errors.ts';

/** Guards what can be guessed. */
export interface GuessGuard {
  /**
   * Looks at a guess, where there is a place for it.
   *
   * @param work - looks at it. A fault of category `unauthenticated` says that it was wrong, and the place stays taken; any other error
   *   that nothing was looked at, and the place is given back
   * @param isIn - whether somebody has got in by what `work` gave, and not only half the way: then all that was counted is forgiven.
   *   `once-more`: who was in already has given one of their proofs again; their own place is given back, and nothing is forgiven
   * @returns what `work` gave
   * @throws fault `too-many-attempts`
   */
  attempt<T>(guess: Guess, work: () => Promise<T>, isIn: (result: T) => boolean | 'once-more'): Promise<T>;
  /** Its owner is known by something else than what can be guessed, such as a mailed link: all that was counted is forgiven. */
  clear(emailKey: string): Promise<void>;
}

/** What {@link createGuessGuard} is given. */
export interface GuessGuardDependencies {
  readonly counters: GuessCounters;
  /** 32 bytes, the same in every replica: who guesses is counted under names that say nothing. */
  readonly secret: Uint8Array;
  /** What is told of it. */
  readonly journal: GuessJournal;
}

/** Makes the guard. */
export function createGuessGuard({ counters, secret, journal }: GuessGuardDependencies): GuessGuard {
  const guesses = createCounter('causeway.auth.guesses', { description: 'Guesses, by path and by what came of them.' });
  const key = createSecretKey(secret);
  const nameOf = (kind: string, value: string): string =>
    createHmac('sha256', key)
      .update(JSON.stringify([kind, value]))
      .digest()
      .toString('base64url', 0, 16);
  const accountOf = (emailKey: string): string => nameOf('account', emailKey);

  /** Whoever has no place left of their own is counted with the next, and at last with strangers: no worse than these. */
  const takePlace = async (guessers: readonly Guesser[], stranger: Guesser): Promise<Taking> => {
    for (const guesser of guessers) {
      const taking = await counters.take(guesser);
      if (taking.place !== undefined || taking.refusal !== 'locked') return taking;
    }
    return counters.take(stranger);
  };

  return {
    async attempt({ emailKey, path, ip, devices = [] }, work, isIn) {
      const count = (outcome: string): void => guesses.add(1, { path, outcome });
      const block = ip === undefined ? undefined : nameOf('block', addressBlock(ip));
      const stranger: Guesser = { account: accountOf(emailKey), block, budget: 'strangers' };
      const known = devices.map(({ name, budget }): Guesser => ({
        ...stranger,
        budget,
        device: nameOf('device', name),
      }));
      const taking = await takePlace(known, stranger);
      if (taking.place === undefined) {
        count(`refused-${taking.refusal}`);
        if (taking.refusal === 'locked') await journal.locked(emailKey);
        throw tooManyAttempts({ retryAfterS: Math.max(1, Math.ceil(taking.waitMs / 1000)) });
      }
      try {
        const result = await work();
        const outcome = isIn(result);
        if (outcome === 'once-more') await counters.giveBack(taking.place);
        if (outcome === true) {
          if (taking.place.hadOthers)
            await journal.cleared(emailKey, taking.place.guesser.budget === 'strangers' ? 'sign-in' : 'known-device');
          await counters.clear(taking.place);
        }
        count(outcome === false ? 'halfway' : outcome === true ? 'in' : outcome);
        return result;
      } catch (error) {
        const wrong = error instanceof Fault && error.category === 'unauthenticated';
        count(wrong ? 'wrong' : 'given-back');
        if (wrong) await journal.failed({ emailKey, path, ip });
        else await counters.giveBack(taking.place);
        throw error;
      }
    },
    async clear(emailKey) {
      await journal.cleared(emailKey, 'mailed-link');
      await counters.clearAccount(accountOf(emailKey));
    },
  };
}
