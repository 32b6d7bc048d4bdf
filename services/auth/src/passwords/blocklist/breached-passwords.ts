import { hash } from 'node:crypto';

import { createCounter } from '@causeway/telemetry';

import { normalizePassword } from '../password.ts';

/** Somebody waits for an account meanwhile. */
const patienceMs = 1_000;

/** A range has some 800 to 1,000 lines of 40 bytes, padding among them. */
const longestRange = 512 * 1024;

/** Whether a password was found in a breach. */
export type BreachedPasswords = (password: string, signal?: AbortSignal) => Promise<boolean>;

interface BreachedPasswordsOptions {
  /** Where ranges are, such as `https://api.pwnedpasswords.com/range/`. */
  readonly url: string;
  readonly logger: { warn(fields: Record<string, unknown>, message: string): void };
}

/**
 * Asks a service of the form of Have I Been Pwned's "Pwned Passwords" by k-anonymity: five characters of the SHA-1 leave this process,
 * some hundred suffixes come back, padded so that their number tells nothing. Where it does not answer in a second, the password passes: it
 * is a courtesy, and nobody is kept out because a stranger's service is away.
 *
 * @see https://haveibeenpwned.com/API/v3#SearchingPwnedPasswordsByRange
 */
export const createBreachedPasswords = ({ url, logger }: BreachedPasswordsOptions): BreachedPasswords => {
  const asked = createCounter('causeway.auth.breach_lookups', {
    description: 'Passwords that were looked up among the breached, by outcome',
  });
  const base = url.endsWith('/') ? url : `${url}/`;

  const rangeOf = async (prefix: string, signal: AbortSignal): Promise<string> => {
    const answer = await fetch(`${base}${prefix}`, { headers: { 'Add-Padding': 'true' }, redirect: 'error', signal });
    if (answer.status !== 200 || answer.body === null) {
      await answer.body?.cancel();
      throw new Error(`the range was answered with ${answer.status}`);
    }
    let text = '';
    for await (const chunk of answer.body.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (text.length > longestRange) throw new Error('the range is longer than any is');
    }
    return text;
  };

  return async (password, signal) => {
    const digest = hash('sha1', normalizePassword(password), 'hex').toUpperCase();
    const bounded = AbortSignal.any([AbortSignal.timeout(patienceMs), ...(signal === undefined ? [] : [signal])]);
    try {
      const range = await rangeOf(digest.slice(0, 5), bounded);
      // Padding has the count 0.
      const found = range.split('\n').some((line) => {
        const [suffix, count] = line.trim().split(':');
        return suffix === digest.slice(5) && Number(count) > 0;
      });
      asked.add(1, { outcome: found ? 'breached' : 'unknown' });
      return found;
    } catch (error) {
      signal?.throwIfAborted();
      asked.add(1, { outcome: 'failed' });
      logger.warn({ error }, 'a password could not be looked up among the breached; it passes');
      return false;
    }
  };
};
