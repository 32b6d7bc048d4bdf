import type { EventEnvelope } from '@causeway/contracts';
import type { RevocationTeller } from '@causeway/service';

import { endingOf } from './ending-of.ts';

/** Tells everybody at once of the tokens that a change of an account has ended; undefined where nothing has changed. */
export type TellEnding = (accountId: string, event: EventEnvelope | undefined) => Promise<void>;

/** Makes it. Where it does not come through, the commit stream of each replica tells the same. */
export const createTellEnding =
  (given: { readonly teller: Pick<RevocationTeller, 'tell'>; readonly now: () => Date }): TellEnding =>
  async (accountId, event) => {
    const ending = endingOf({ id: accountId, event }, given.now());
    if (ending !== undefined) await given.teller.tell([ending]);
  };
