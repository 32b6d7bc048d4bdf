import type { Change, CommitStream } from '@causeway/events';
import { Timestamp } from 'mongodb';

/** A commit stream whose transactions come as a whole. */
export interface GatheredStream {
  /** Takes a change, in commit order. */
  take(change: Change): void;
  /** Up to here everything has been told; undefined while that is not known. */
  readonly position: Timestamp | undefined;
  /** Forgets what it holds: changes may have been missed. */
  forget(): void;
}

interface Open {
  readonly position: Timestamp;
  readonly changes: Change[];
  /** How many of the group are still to come; undefined where nobody has said how many there are. */
  missing: number | undefined;
}

/** More of one transaction are not held back: what there is is told, and the rest after it. */
const mostTogether = 2_000;
const lookMs = 50;

/**
 * Gathers what a transaction has changed. Its end is known by the number that its events carry, where they are grouped, or by what comes
 * after it. Of one whose events carry none everything has come once the driver has nothing more at hand: MongoDB sends the changes of a
 * transaction in one piece, up to 16 MB, and the driver hands out what it has without waiting for anything.
 *
 * @param stream - whose changes are taken
 * @param tell - is given the changes of each commit
 */
export function gatherTransactions(
  stream: Pick<CommitStream, 'position'>,
  tell: (changes: readonly Change[]) => void,
): GatheredStream {
  let open: Open | undefined;
  /** Where changes were missed: nothing is told of before it. */
  let floor: Timestamp | undefined;

  const flush = (): void => {
    if (open === undefined) return;
    const { changes } = open;
    open = undefined;
    tell(changes);
  };

  const look = (held: Open): void => {
    if (open !== held) return;
    const isOver = stream.position?.greaterThan(held.position) === true;
    if (held.missing === undefined || isOver) flush();
    else setTimeout(look, lookMs, held).unref();
  };

  const hold = (change: Change): Open => {
    if (open === undefined) {
      open = { position: change.clusterTime, changes: [], missing: undefined };
      setImmediate(look, open);
    }
    open.changes.push(change);
    const { batchid, batchsize } = change.event ?? {};
    if (batchid !== undefined) open.missing = (open.missing ?? Number(batchsize)) - 1;
    return open;
  };

  return {
    take(change) {
      if (open?.position.equals(change.clusterTime) === false) flush();
      if (change.transaction === undefined) {
        tell([change]);
        return;
      }
      const { changes, missing } = hold(change);
      if (missing === 0 || changes.length >= mostTogether) flush();
    },
    get position() {
      if (open === undefined) return stream.position;
      const whole = justBefore(open.position);
      return floor?.greaterThan(whole) === true ? floor : whole;
    },
    forget() {
      open = undefined;
      floor = stream.position;
    },
  };
}

/** The position just before another one. */
export const justBefore = ({ t, i }: Timestamp): Timestamp =>
  new Timestamp(i === 0 ? { t: t - 1, i: 2 ** 32 - 1 } : { t, i: i - 1 });

/** Takes changes in commit order apart by their commits. */
export function byCommit<Item extends { readonly position: Timestamp; readonly inTransaction: boolean }>(
  changes: readonly Item[],
): Item[][] {
  const commits: Item[][] = [];
  for (const change of changes) {
    const last = commits.at(-1);
    if (last?.[0] !== undefined && isOfCommit(last[0], change)) last.push(change);
    else commits.push([change]);
  }
  return commits;
}

/** Whether a change belongs to the commit of the one before it. */
export const isOfCommit = <Item extends { readonly position: Timestamp; readonly inTransaction: boolean }>(
  before: Item,
  { position, inTransaction }: Item,
): boolean => inTransaction && before.inTransaction && before.position.equals(position);
