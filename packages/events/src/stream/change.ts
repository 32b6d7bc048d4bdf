import { toSequence, type EventEnvelope } from '@causeway/contracts';
import type { ChangeStreamDocument, Document, Timestamp } from 'mongodb';

import { eventLog } from '../log/event-log.ts';
import type { Beside, OutboxEvent } from '../recording/recorded-document.ts';
import { tombstones, withoutBeside } from '../recording/recorded-document.ts';

/** A committed write of a recorded document, in commit order, which is the same in every replica. */
export interface Change {
  readonly collection: string;
  readonly id: string;
  readonly revision: number;
  /** The event of this write. */
  readonly event: EventEnvelope | undefined;
  /** What goes along with the event, and is not published; absent where nothing does. */
  readonly beside?: Beside;
  /** Whole, for creates alone: nothing is looked up for an update. */
  readonly document: Document | undefined;
  readonly deleted: boolean;
  readonly clusterTime: Timestamp;
  /** The same for all writes of one transaction; absent outside one. */
  readonly transaction: string | undefined;
}

/** The collection whose one row is written each second, so that quiet streams know how far they have come. */
export const beacons = 'beacons';

/** Collections of this package that record no changes of their own. */
export const plumbing = [
  eventLog,
  'handled',
  'handlers',
  'idempotency',
  'lanes',
  'leases',
  'positions',
  'relays',
  'settings',
  'slots',
];

/**
 * What a commit stream watches: inserts and replaces, and updates that set `revision`: a relay's pull does not, and is never sent to us; and beacons, and marks
 * of one's own. Decided in the server.
 *
 * @param origin - what the marks of this process begin with
 */
export const pipelineOf = (origin: string): Document[] => [
  {
    $match: {
      'ns.coll': { $nin: plumbing },
      $or: [
        { operationType: { $in: ['insert', 'replace'] } },
        { operationType: 'update', 'updateDescription.updatedFields.revision': { $exists: true } },
        { operationType: 'update', 'ns.coll': beacons, 'updateDescription.updatedFields.mark': { $exists: false } },
        {
          operationType: 'update',
          'ns.coll': beacons,
          'updateDescription.updatedFields.mark': new RegExp(`^${origin}/`),
        },
      ],
    },
  },
];

/** The outbox entries that an update has added: MongoDB may name the element, or the whole array. */
const addedEvents = (updated: Document): OutboxEvent[] =>
  Object.entries(updated).flatMap(([path, value]) => {
    if (path === 'outbox') return value as OutboxEvent[];
    return path.startsWith('outbox.') ? [value as OutboxEvent] : [];
  });

/** What a row of the beacons was marked with last. */
export const markOf = (raw: ChangeStreamDocument): unknown => {
  if (raw.operationType === 'insert') return raw.ns.coll === beacons ? raw.fullDocument.mark : undefined;
  if (raw.operationType !== 'update' || raw.ns.coll !== beacons) return undefined;
  return (raw.updateDescription.updatedFields as Document | undefined)?.mark;
};

/** The same text for all writes of one transaction; undefined outside one. */
export const transactionOf = ({
  lsid,
  txnNumber,
}: {
  readonly lsid?: unknown;
  readonly txnNumber?: unknown;
}): string | undefined =>
  txnNumber === undefined ? undefined : `${JSON.stringify(lsid)}/${JSON.stringify(txnNumber)}`;

/** A change of MongoDB's as ours; undefined for a beacon and for what records nothing. */
export const toChange = (raw: ChangeStreamDocument): Change | undefined => {
  if (raw.operationType !== 'insert' && raw.operationType !== 'replace' && raw.operationType !== 'update')
    return undefined;
  const { coll } = raw.ns;
  if (coll === beacons || raw.clusterTime === undefined) return undefined;
  const document = raw.operationType === 'update' ? undefined : raw.fullDocument;
  const updated =
    raw.operationType === 'update' ? ((raw.updateDescription.updatedFields ?? {}) as Document) : undefined;
  const revision = (document?.revision ?? updated?.revision) as number | undefined;
  if (typeof revision !== 'number') return undefined;
  const sequence = toSequence(revision);
  const events = updated === undefined ? ((document?.outbox ?? []) as OutboxEvent[]) : addedEvents(updated);
  const deleted = coll === tombstones;
  const event = events.find((each) => each.sequence === sequence);
  return {
    collection: deleted ? (document?.collection as string) : coll,
    id: deleted ? (document?.id as string) : String(raw.documentKey._id),
    revision,
    event: event && withoutBeside(event),
    ...(event?.beside === undefined ? {} : { beside: event.beside }),
    document: deleted ? undefined : document,
    deleted,
    clusterTime: raw.clusterTime,
    transaction: transactionOf(raw),
  };
};
