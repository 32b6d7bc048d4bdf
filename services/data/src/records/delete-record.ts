import { faults } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import type { Events, IfMatch } from '@causeway/events';
import { matches } from '@causeway/service';

import type { CollectionRegistry } from '../collections/collection-registry.ts';
import { demandUnreferenced } from '../references/demand-unreferenced.ts';
import type { Caller } from '../rules/rule.ts';
import { demandReadable, demandRight, demandWritable } from './judge-record.ts';
import { deleted } from './records.events.ts';
import { demandCurrent, underDefinition } from './under-definition.ts';

/** Which record somebody wants to be gone. */
export interface DeleteRecord {
  readonly collection: string;
  readonly id: string;
  readonly caller: Caller;
  readonly ifMatch: IfMatch | undefined;
}

/**
 * Deletes a record.
 *
 * @returns the use case, giving the event's id; it throws faults `not-found`, `forbidden`, `precondition-failed` and
 *   `still-referenced`
 */
export function createDeleteRecord({
  events,
  registry,
  now,
}: {
  readonly events: Pick<Events, 'db' | 'transaction'>;
  readonly registry: CollectionRegistry;
  readonly now: () => Date;
}) {
  return async (cause: Cause, { collection: name, id, caller, ifMatch }: DeleteRecord): Promise<string> =>
    underDefinition(registry, name, async (collection) => {
      demandReadable(collection, caller);
      demandWritable(collection);
      const write = await events.transaction(async (session) => {
        await demandCurrent(events.db, collection, session);
        return await collection.records.delete(
          cause,
          id,
          async (current) => {
            const at = now();
            demandRight(collection, 'delete', caller, current, { at });
            if (!matches(ifMatch, current.revision)) throw faults.preconditionFailed();
            await demandUnreferenced({ db: events.db, registry }, collection, id, { caller, at, session });
            return deleted(collection, current, cause.principal.id);
          },
          { session },
        );
      });
      if (write === undefined) throw faults.notFound();
      return write.event.id;
    });
}
