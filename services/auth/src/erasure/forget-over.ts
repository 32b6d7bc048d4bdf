import type { Redaction } from '@causeway/events';

/** Things of which more than so many cannot be forgotten yet are left until the next time. */
const mostHeld = 1_000;

/** What is to be forgotten. */
export interface ForgetOverOptions {
  /** Before the id, in the subjects of its events: `proof`. */
  readonly thing: string;
  /** Some that are over, but for these. */
  readonly find: (but: readonly string[]) => Promise<readonly string[]>;
  readonly forget: (ids: readonly string[]) => Promise<unknown>;
  readonly redaction: Pick<Redaction, 'ofForgotten' | 'published'>;
  /** Types of events that name nothing but ids. */
  readonly keep: readonly string[];
  readonly signal: AbortSignal;
}

/**
 * Forgets things that are over, and with them what the log says of them, which nobody would find any more. One of which an event is parked
 * stays until that is dealt with.
 *
 * @returns how many are gone
 */
export async function forgetOver(options: ForgetOverOptions): Promise<number> {
  const { thing, find, forget, redaction, keep, signal } = options;
  const held: string[] = [];
  let count = 0;
  for (let isFirst = true; !signal.aborted && held.length < mostHeld; isFirst = false) {
    const ids = await find(held);
    if (ids.length === 0) break;
    // What a row carries still would come to the log after it.
    if (isFirst) await redaction.published();
    const subjects = ids.map((id) => `${thing}/${id}`);
    const done = new Set(await redaction.ofForgotten(subjects, { keep, isTimeUp: () => signal.aborted }));
    const free = ids.filter((id) => done.has(`${thing}/${id}`));
    await forget(free);
    held.push(...ids.filter((id) => !free.includes(id)));
    count += free.length;
  }
  return count;
}
