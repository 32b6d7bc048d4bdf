/** What this process has heard of lately, whatever becomes of Redis. */
export interface Floors {
  /** The latest revision of a key that was told of; 0 where none was. */
  of(key: string): number;
  raise(key: string, revision: number): void;
  /** Whether nothing of the time has been forgotten for want of room. */
  readonly complete: boolean;
}

/** What {@link createFloors} is given. */
export interface FloorsOptions {
  /** How long each is remembered. */
  readonly keepMs: number;
  /** Most that are remembered; some 150 bytes each. */
  readonly most: number;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
}

/** Remembers floors. Of more than there is room for, those that were told of first are forgotten, and that is said. */
export function createFloors({ keepMs, most, clock }: FloorsOptions): Floors {
  /** In the order in which they end. */
  const floors = new Map<string, { readonly revision: number; readonly endsAt: number }>();
  let forgottenUntil = Number.NEGATIVE_INFINITY;

  const sweep = (now: number): void => {
    for (const [key, { endsAt }] of floors) {
      if (endsAt > now && floors.size <= most) return;
      floors.delete(key);
      if (endsAt > now) forgottenUntil = endsAt;
    }
  };

  return {
    of(key) {
      const floor = floors.get(key);
      return floor === undefined || floor.endsAt <= clock() ? 0 : floor.revision;
    },
    raise(key, revision) {
      const now = clock();
      const known = floors.get(key)?.revision ?? 0;
      floors.delete(key);
      floors.set(key, { revision: Math.max(known, revision), endsAt: now + keepMs });
      sweep(now);
    },
    get complete() {
      return clock() >= forgottenUntil;
    },
  };
}
