/** The room that one process may take of Redis. */
export interface SharedRoom {
  /**
   * Takes room for a text, for as long as a value lives.
   *
   * @returns false where there is none, or the text is too long: then it is not to be put there
   */
  take(text: string): boolean;
}

/** What {@link createSharedRoom} is given. */
export interface SharedRoomOptions {
  /** Of all that was put there within the life of a value. */
  readonly maxBytes: number;
  /** Of one text. */
  readonly maxTextLength: number;
  /** How long a value lives there. */
  readonly ttlMs: number;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
}

/** The time is counted in so many pieces; room that was taken is free again up to one of them late. */
const pieces = 20;
/** Of a key and what Redis keeps around it. */
const overheadBytes = 200;

/** Makes it. Bounds by what was put, so that nobody has to be asked what is still there: it is never more. */
export function createSharedRoom({ maxBytes, maxTextLength, ttlMs, clock }: SharedRoomOptions): SharedRoom {
  const pieceMs = ttlMs / pieces;
  /** Bytes by piece of the time, the oldest first. */
  const taken: { readonly piece: number; bytes: number }[] = [];
  let total = 0;

  return {
    take(text) {
      if (text.length > maxTextLength) return false;
      const piece = Math.floor(clock() / pieceMs);
      while (taken[0] !== undefined && taken[0].piece < piece - pieces) total -= taken.shift()?.bytes ?? 0;
      const bytes = Buffer.byteLength(text) + overheadBytes;
      if (total + bytes > maxBytes) return false;
      total += bytes;
      const latest = taken.at(-1);
      if (latest?.piece === piece) latest.bytes += bytes;
      else taken.push({ piece, bytes });
      return true;
    },
  };
}
