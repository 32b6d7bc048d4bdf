import type { Change, CommitStream } from '@causeway/events';
import type { Timestamp } from 'mongodb';

/** A commit stream that a test may hold back, as one that is slow or hangs. */
export interface HeldStream {
  readonly wrap: (stream: CommitStream) => CommitStream;
  hold(): void;
  /** How far it has brought. */
  position(): Timestamp | undefined;
  /** Brings what has come meanwhile, in order. */
  release(): void;
}

/** Makes it; it holds nothing at first. */
export function createHeldStream(): HeldStream {
  const listeners = new Set<(change: Change) => void>();
  const waiting: (Change | (() => void))[] = [];
  let inner: CommitStream | undefined;
  let heldSince: number | undefined;
  let position: Timestamp | undefined;
  return {
    wrap(stream) {
      inner = stream;
      stream.subscribe((change) => {
        if (heldSince === undefined) for (const listener of listeners) listener(change);
        else waiting.push(change);
      });
      return {
        start: () => stream.start(),
        stop: () => stream.stop(),
        readFrom: (...args) => stream.readFrom(...args),
        subscribe(listener, onGap) {
          listeners.add(listener);
          const end = stream.subscribe(() => undefined, onGap);
          return () => {
            listeners.delete(listener);
            end();
          };
        },
        awaitMark: (told) =>
          stream.awaitMark(() => {
            if (heldSince === undefined) told();
            else waiting.push(told);
          }),
        get position() {
          return heldSince === undefined ? stream.position : position;
        },
        get midTransaction() {
          return heldSince === undefined && stream.midTransaction;
        },
        get ageMs() {
          return heldSince === undefined ? stream.ageMs : performance.now() - heldSince;
        },
        get behindS() {
          return stream.behindS;
        },
        get ready() {
          return stream.ready;
        },
      };
    },
    position: () => (heldSince === undefined ? inner?.position : position),
    hold() {
      heldSince = performance.now();
      position = inner?.position;
    },
    release() {
      for (const change of waiting.splice(0)) {
        if (typeof change === 'function') {
          change();
          continue;
        }
        position = change.clusterTime;
        for (const listener of listeners) listener(change);
      }
      heldSince = undefined;
    },
  };
}
