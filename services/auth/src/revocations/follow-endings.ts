import type { RevocationTeller } from '@causeway/service';

import { endingOf } from './ending-of.ts';
import type { CommittedChange } from './ending-of.ts';

/** What {@link followEndings} is given. */
export interface FollowEndingsDependencies {
  /** The committed changes of this service's database, by whichever replica. */
  readonly stream: {
    subscribe(listener: (change: CommittedChange) => void, onGap: () => void): unknown;
  };
  readonly teller: Pick<RevocationTeller, 'tell' | 'reload'>;
  readonly now: () => Date;
}

/**
 * Tells of every change that ends tokens as it is committed, whichever replica has made it: one that dies after its commit is told for by
 * the others. Where changes may have been missed, all that has ended is read again.
 */
export function followEndings({ stream, teller, now }: FollowEndingsDependencies): void {
  stream.subscribe(
    (change) => {
      const ending = endingOf(change, now());
      if (ending !== undefined) void teller.tell([ending]);
    },
    () => teller.reload(),
  );
}
