import { MongoServerError } from 'mongodb';

/** The time for a look is up. */
export class OutOfTime extends Error {
  override readonly name = 'OutOfTime';
}

/** How long one may still look at something. */
export interface LookTime {
  /** For MongoDB: at least one millisecond. */
  leftMs(): number;
  /** @throws OutOfTime where it is up; what the signal says where nobody waits any more */
  demand(): void;
  /** Of the same beginning, a part of it. */
  part(share: number): LookTime;
}

/** MaxTimeMSExpired: https://www.mongodb.com/docs/manual/reference/error-codes/ */
const timeCode = 50;

/**
 * The time for a look that begins now.
 *
 * @param signal - of whoever waits for it
 */
export function createLookTime(mostMs: number, signal?: AbortSignal, begunAt = performance.now()): LookTime {
  const endsAt = begunAt + mostMs;
  return {
    leftMs: () => Math.max(1, Math.ceil(endsAt - performance.now())),
    demand() {
      signal?.throwIfAborted();
      if (performance.now() >= endsAt) throw new OutOfTime();
    },
    part: (share) => createLookTime(mostMs * share, signal, begunAt),
  };
}

/**
 * Looks for as long as there is time, MongoDB's included.
 *
 * @returns whether there was time for all of it
 */
export async function lookInTime(look: () => Promise<unknown>): Promise<boolean> {
  try {
    await look();
    return true;
  } catch (error) {
    const isTime = error instanceof OutOfTime || (error instanceof MongoServerError && error.code === timeCode);
    if (!isTime) throw error;
    return false;
  }
}
