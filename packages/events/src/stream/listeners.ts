import type { RelayLogger } from '../relay/relay-metrics.ts';

/** What names a change in the log of the process. */
interface Named {
  readonly collection: string;
  readonly id: string;
  readonly revision: number;
}

/** Those who listen to a commit stream, each by itself: one that throws keeps no other from hearing. */
export interface Listeners<Change extends Named> {
  /** See `CommitStream.subscribe`. */
  add(listener: (change: Change) => void, onGap?: () => void): () => void;
  tell(change: Change): void;
  /** Changes may have been missed by all. */
  tellGap(): void;
}

/**
 * Makes it, with nobody in it.
 *
 * @param logger - is told of who threw, and of no data
 */
export const createListeners = <Change extends Named>(logger: RelayLogger): Listeners<Change> => {
  const listeners = new Set<{ readonly hear: (change: Change) => void; readonly onGap: () => void }>();

  /** It has missed something. Thrown on, an error would end the stream, and come again with the same change, for ever. */
  const tellGapTo = (onGap: () => void): void => {
    try {
      onGap();
    } catch (error) {
      logger.error({ error }, 'a listener of the commit stream could not take in that changes are missing');
    }
  };

  return {
    add(hear, onGap = () => undefined) {
      const listener = { hear, onGap };
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    tell(change) {
      for (const { hear, onGap } of listeners) {
        try {
          hear(change);
        } catch (error) {
          const { collection, id, revision } = change;
          logger.error({ error, collection, id, revision }, 'a listener of the commit stream threw over a change');
          tellGapTo(onGap);
        }
      }
    },
    tellGap() {
      for (const { onGap } of listeners) tellGapTo(onGap);
    },
  };
};
