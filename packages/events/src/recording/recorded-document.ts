import type { EventContract, EventData, EventEnvelope } from '@causeway/contracts';

/** What every document that is written through this package has beside its state. */
export interface RecordedDocument {
  readonly _id: string;
  /** Rises by exactly one with each write; the `sequence` of the write's event. */
  readonly revision: number;
  /** The id of the last write's event: after a lost connection it tells whether a write was ours. */
  readonly event: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** Events that are not known to be published yet, by rising sequence. Only this package reads or writes it. */
  readonly outbox: readonly OutboxEvent[];
}

/**
 * An event as it waits in its document: with what goes along with it there alone. Who follows the commits is given that, too; the log and Kafka
 * never are.
 */
export interface OutboxEvent extends EventEnvelope {
  readonly beside?: Beside;
}

/** What goes along with an event as far as MongoDB. */
export type Beside = Readonly<Record<string, unknown>>;

/** The event as everybody may have it. */
export const withoutBeside = (event: OutboxEvent): EventEnvelope => {
  if (event.beside === undefined) return event;
  const { beside: _own, ...rest } = event;
  return rest;
};

/** What a service decides about: a document without what this package adds. */
export type StateOf<Doc extends RecordedDocument> = Omit<Doc, keyof RecordedDocument>;

/** An event that is about to be recorded: its contract and its data; the rest follows from the write. */
export interface EventDraft {
  readonly contract: EventContract;
  readonly data: EventData;
  readonly beside?: Beside;
}

/**
 * Says which event a write records.
 *
 * @param contract - from `@causeway/contracts`
 * @param data - checked against the contract when the write is recorded
 * @param beside - for who follows the commits of this service, and nobody else: it is neither logged nor published
 */
export const draft = <Data extends EventData>(
  contract: EventContract<Data>,
  data: Data,
  beside?: Beside,
): EventDraft => ({
  contract,
  data,
  ...(beside === undefined ? {} : { beside }),
});

/** A row of `tombstones`: what is left of a deleted document, so that neither its events nor its revision are lost. */
export interface Tombstone {
  /** `<collection>/<id>`. */
  readonly _id: string;
  readonly collection: string;
  readonly id: string;
  readonly revision: number;
  readonly event: string;
  readonly deletedAt: Date;
  readonly outbox: readonly OutboxEvent[];
}

/** The name of the collection of {@link Tombstone}s. */
export const tombstones = 'tombstones';

/** The `_id` of a tombstone. */
export const tombstoneId = (collection: string, id: string): string => `${collection}/${id}`;

/** What is left of a document once it is deleted. */
export const tombstoneOf = (
  collection: string,
  { _id: id, revision, outbox }: RecordedDocument,
  event: OutboxEvent,
  at: Date,
): Tombstone => ({
  _id: tombstoneId(collection, id),
  ...{ collection, id, revision: revision + 1, event: event.id, deletedAt: at },
  outbox: [...outbox, event],
});

/**
 * A document as its creation leaves it.
 *
 * @param place - its first revision, when, and what a tombstone under its id has still to publish
 */
export const newDocument = <Doc extends RecordedDocument>(
  { _id, state }: { readonly _id: string; readonly state: StateOf<Doc> },
  event: OutboxEvent,
  { revision, at, outbox }: { readonly revision: number; readonly at: Date; readonly outbox: readonly OutboxEvent[] },
): Doc => {
  const own = { _id, revision, event: event.id, createdAt: at, updatedAt: at, outbox: [...outbox, event] };
  return { ...state, ...own } as unknown as Doc;
};

/** The keys of a document that are not state. */
export const recordedKeys: ReadonlySet<string> = new Set<keyof RecordedDocument>([
  '_id',
  'revision',
  'event',
  'createdAt',
  'updatedAt',
  'outbox',
]);

/** A document's state alone. */
export const stateOf = <Doc extends RecordedDocument>(document: Doc): StateOf<Doc> => {
  const entries = Object.entries(document).filter(([key]) => !recordedKeys.has(key));
  return Object.fromEntries(entries) as StateOf<Doc>;
};
