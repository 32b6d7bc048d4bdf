/** A record of a partition, as far as its place is concerned. */
export interface WindowEntry {
  /** Of the record; an event from a producer's log has none. */
  readonly offset: bigint | undefined;
  /** Undefined for what is no event. */
  readonly event: string | undefined;
  readonly bytes: number;
}

/** How much may be held of a partition. */
export interface WindowBounds {
  /** Records that are not settled. */
  readonly records: number;
  /** What these records take, as they came. */
  readonly bytes: number;
  /** Records above the watermark, settled or not: so many at most are delivered again after a crash. */
  readonly ahead: number;
}

interface Node extends WindowEntry {
  open: number;
  following: Node | undefined;
}

/** The records of a partition from the first that is not settled on. */
export interface PartitionWindow {
  /** The next offset to commit: everything below has been settled. */
  readonly next: bigint;
  /** The last event below {@link PartitionWindow.next}. */
  readonly event: string | undefined;
  /** Records that are not settled. */
  readonly held: number;
  readonly isFull: boolean;
  readonly isIdle: boolean;
  /**
   * Takes a record in.
   *
   * @param open - how many must settle it; none: it is settled
   * @returns to be called by each of them
   */
  add(entry: WindowEntry, open: number): () => void;
}

/**
 * Makes the window of a partition: what has come in, and the contiguous watermark below it.
 *
 * @param start - the first offset that will be added
 */
export const createPartitionWindow = (start: bigint, bounds: WindowBounds): PartitionWindow => {
  let next = start;
  let event: string | undefined;
  let held = 0;
  let heldBytes = 0;
  let ahead = 0;
  let first: Node | undefined;
  let last: Node | undefined;

  const advance = (): void => {
    while (first?.open === 0) {
      if (first.offset !== undefined) next = first.offset + 1n;
      event = first.event ?? event;
      first = first.following;
      ahead -= 1;
    }
    if (first === undefined) last = undefined;
  };

  const settle = (node: Node): void => {
    node.open -= 1;
    if (node.open > 0) return;
    held -= 1;
    heldBytes -= node.bytes;
    advance();
  };

  return {
    get next() {
      return next;
    },
    get event() {
      return event;
    },
    get held() {
      return held;
    },
    get isFull() {
      return held >= bounds.records || heldBytes >= bounds.bytes || ahead >= bounds.ahead;
    },
    get isIdle() {
      return first === undefined;
    },
    add(entry, open) {
      const node: Node = { ...entry, open, following: undefined };
      if (last === undefined) first = node;
      else last.following = node;
      last = node;
      ahead += 1;
      if (open === 0) advance();
      else {
        held += 1;
        heldBytes += entry.bytes;
      }
      return () => settle(node);
    },
  };
};
