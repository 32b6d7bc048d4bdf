import { redactPerson, removalHandlers } from '@causeway/events';
import type { Events, Handler, RecordedCollection, RemovalDocument } from '@causeway/events';

import type { CollectionRegistry } from './collections/collection-registry.ts';
import { actorFields, redactRecords } from './erasure/redact-records.ts';
import { removeRecords } from './erasure/remove-records.ts';

/** What handlers write to, once it is there. */
export interface Late {
  readonly events: () => Events;
  readonly registry: () => CollectionRegistry;
  readonly markers: () => RecordedCollection<RemovalDocument>;
}

/** What this service does when something happens elsewhere: somebody who is erased is removed from it. */
export const handlersOf = ({ events, registry, markers }: Late): Handler[] =>
  removalHandlers({
    service: 'data',
    markers,
    persons: () => events().persons,
    kafkaUntil: (from) => events().kafkaUntil(from),
    steps: [
      removeRecords({ events, registry }),
      redactRecords(events),
      redactPerson({ redaction: () => events().redaction, fields: actorFields }),
    ],
  });
