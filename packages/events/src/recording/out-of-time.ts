/** An attempt has not ended within its bound. It is given up: what it does later in its transaction fails. */
export class OutOfTime extends Error {
  override readonly name = 'OutOfTime';
}

/** A transaction met somebody else's writes of the same documents at each attempt, for as long as its bound. */
export class Contended extends Error {
  override readonly name = 'Contended';
}

/**
 * Waits for something, but not once `signal` is aborted. What it was waiting for goes on by itself; a later rejection of it is taken care
 * of.
 *
 * @param graceMs - so much longer it may take to end by itself once the signal is aborted
 * @throws the signal's reason, or what the work throws
 */
export const unlessAborted = async <T>(work: Promise<T>, signal: AbortSignal, graceMs = 0): Promise<T> => {
  const { promise: given, reject } = Promise.withResolvers<never>();
  let grace: NodeJS.Timeout | undefined;
  const giveUp = (): void => {
    if (graceMs === 0) reject(signal.reason as Error);
    else grace = setTimeout(() => reject(signal.reason as Error), graceMs);
  };
  if (signal.aborted) giveUp();
  else signal.addEventListener('abort', giveUp, { once: true });
  try {
    return await Promise.race([work, given]);
  } finally {
    signal.removeEventListener('abort', giveUp);
    clearTimeout(grace);
    work.catch(() => undefined);
  }
};
