/** How often one feed is sent a snapshot: where it is needed more often, it ends, and its reader comes back when it likes. */
export interface SnapshotPace {
  /** @returns false where there were too many lately */
  begin(): boolean;
}

const mostSnapshots = 5;
const withinMs = 60_000;

/**
 * Makes the pace of a feed.
 *
 * @param clock - monotonic milliseconds
 */
export function createSnapshotPace(clock: () => number = () => performance.now()): SnapshotPace {
  let begun: readonly number[] = [];
  return {
    begin() {
      const now = clock();
      begun = [...begun.filter((at) => now - at < withinMs), now].slice(-mostSnapshots - 1);
      return begun.length <= mostSnapshots;
    },
  };
}
