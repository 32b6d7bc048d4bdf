import type { EventEnvelope } from '@causeway/contracts';
import { collectionDeleted, collectionUpdated, collectionCreated } from '@causeway/contracts';
import { clusterTimeOf } from '@causeway/events';
import type { Change, Events, RecordedCollection } from '@causeway/events';
import type { Db, Timestamp } from 'mongodb';

import { createFieldCipher } from '../encryption/field-cipher.ts';
import type { FieldCipher, LearningCipher } from '../encryption/field-cipher.ts';
import type { CollectionKeys, FieldKeys } from '../encryption/field-keys.ts';
import { encryptedPaths } from '../encryption/sealed-fields.ts';
import type { RecordDocument } from '../records/record.model.ts';
import type { ScalarTypesAt } from '../sorting/sort.ts';
import type { Definition, DefinitionChange, DefinitionDocument } from './collection.model.ts';
import { definitionsCollection, recordsCollection } from './collection.model.ts';
import { readChange } from './definition-lock.ts';
import type { DefinitionBeside } from './collections.events.ts';
import type { CompiledDefinition } from './parse-definition.ts';
import { parseDefinition } from './parse-definition.ts';
import { scalarTypesAt } from './scalar-types.ts';

/** A collection, as everything that touches its records knows it. */
export interface Collection extends CompiledDefinition {
  /** `col_…` */
  readonly id: string;
  readonly name: string;
  readonly revision: number;
  /** See {@link DefinitionDocument.readSince}. */
  readonly readSince: number | undefined;
  /** What a record that is written under this definition has to say. */
  readonly def: number;
  /** What writes have to keep to as well, while it is being checked against the records. */
  readonly pending: CompiledDefinition | undefined;
  /** Its records are being deleted: nothing is written. */
  readonly removing: boolean;
  readonly scalarTypesAt: ScalarTypesAt;
  readonly records: RecordedCollection<RecordDocument>;
  /** Seals and opens what is stored encrypted; the same object for all definitions of one collection, undefined where nothing is. */
  readonly cipher: FieldCipher | undefined;
}

/** The definitions that this process knows. */
export interface CollectionRegistry {
  /** Reads all definitions, and follows their changes from then on. Call it before the events start. */
  start(): Promise<void>;
  /** Reads all definitions again: after the commit stream has opened, so that no change falls between. */
  refresh(): Promise<void>;
  /** By name; one that is not known is looked for in MongoDB. */
  find(name: string): Promise<Collection | undefined>;
  /** By id, as far as this process knows. */
  get(id: string): Collection | undefined;
  /**
   * When what {@link CollectionRegistry.get} gives had been committed by: its own time, once the commit stream has brought it; a later one, where somebody has read it
   * ahead of that. Undefined where nobody knows.
   */
  knownAsOf(id: string): Timestamp | undefined;
  /** Reads a definition anew, and the change of it that is under way. */
  reload(id: string): Promise<Collection | undefined>;
  /** Calls a listener after a definition has changed in commit order, or is gone; and for each, after changes may have been missed. */
  onChange(listener: (id: string, collection: Collection | undefined) => void): () => void;
}

/** What {@link createCollectionRegistry} is given. */
export interface CollectionRegistryOptions {
  readonly events: Pick<Events, 'collection' | 'prepare' | 'stream'>;
  readonly db: Db;
  readonly fieldKeys: FieldKeys;
  readonly logger: { error(fields: Record<string, unknown>, message: string): void };
}

/** Whether a collection is known as it is: schemas cost time to compile, and writers read it anew during a change. */
const isSame = (
  { revision, def, pending, removing }: Collection,
  document: DefinitionDocument,
  change: DefinitionChange,
): boolean =>
  revision === document.revision &&
  // Each change that is begun has a number of its own.
  def === change.def &&
  (pending === undefined) === (change.pending === undefined) &&
  removing === (change.removing === true);

/** What is stored has been accepted once: that it cannot be read is nothing that whoever calls has done. */
const parseStored = (definition: Definition): CompiledDefinition => {
  try {
    return parseDefinition(definition);
  } catch (error) {
    throw new Error('a stored definition cannot be read by this version of the service', { cause: error });
  }
};

/** Keeps the definitions of a process in step with MongoDB, by the commit stream. */
export function createCollectionRegistry({
  events,
  db,
  fieldKeys,
  logger,
}: CollectionRegistryOptions): CollectionRegistry {
  const definitions = db.collection<DefinitionDocument>(definitionsCollection);
  const byId = new Map<string, Collection>();
  const idByName = new Map<string, string>();
  const asOf = new Map<string, Timestamp | undefined>();
  const recorded = new Map<string, RecordedCollection<RecordDocument>>();
  const ciphers = new Map<string, LearningCipher>();
  const listeners = new Set<(id: string, collection: Collection | undefined) => void>();

  const recordsOf = (id: string): RecordedCollection<RecordDocument> => {
    const known = recorded.get(id);
    if (known !== undefined) return known;
    const made = events.collection<RecordDocument>(recordsCollection(id), { thing: 'record' });
    recorded.set(id, made);
    return made;
  };

  const cipherOf = (
    id: string,
    { fields }: CompiledDefinition,
    keys: CollectionKeys | undefined,
  ): FieldCipher | undefined => {
    if (keys === undefined || encryptedPaths(fields).length === 0) return undefined;
    const cipher = ciphers.get(id) ?? createFieldCipher(fieldKeys, id);
    cipher.learn(keys);
    ciphers.set(id, cipher);
    return cipher;
  };

  const put = (collection: Collection): Collection => {
    byId.set(collection.id, collection);
    idByName.set(collection.name, collection.id);
    return collection;
  };

  const forget = (id: string): void => {
    const collection = byId.get(id);
    byId.delete(id);
    asOf.delete(id);
    if (collection !== undefined && idByName.get(collection.name) === id) idByName.delete(collection.name);
  };

  const make = (
    about: { readonly id: string; readonly name: string; readonly revision: number },
    { definition, keys, readSince }: Pick<DefinitionDocument, 'definition' | 'keys' | 'readSince'>,
    change: Pick<DefinitionChange, 'def' | 'pending' | 'removing'>,
  ): Collection => {
    const compiled = parseStored(definition);
    const cipher = cipherOf(about.id, compiled, keys);
    return {
      ...about,
      ...compiled,
      ...{ cipher, readSince },
      def: change.def,
      pending: change.pending === undefined ? undefined : parseStored(change.pending),
      removing: change.removing === true,
      scalarTypesAt: (segments) => scalarTypesAt(definition.schema, segments),
      records: recordsOf(about.id),
    };
  };

  const reload = async (id: string): Promise<Collection | undefined> => {
    // The change first: a definition that is committed in between has an entry that is older, and is refused once more.
    const change = await readChange(db, id);
    const document = await definitions.findOne({ _id: id });
    const known = byId.get(id);
    if (document === null || change === null) {
      forget(id);
      return undefined;
    }
    if (document.keys !== undefined) ciphers.get(id)?.learn(document.keys);
    // The stream may have brought a later one meanwhile.
    if (known !== undefined && (known.revision > document.revision || isSame(known, document, change))) return known;
    if (known?.revision !== document.revision) asOf.set(id, clusterTimeOf(db.client));
    return put(make({ id, name: document.name, revision: document.revision }, document, change));
  };

  const tell = (id: string): void => {
    for (const listener of listeners) listener(id, byId.get(id));
  };

  const reloadAll = async (): Promise<void> => {
    const ids = await definitions.find({}, { projection: { _id: 1 } }).toArray();
    const there = new Set(ids.map(({ _id }) => _id));
    const before = [...byId.keys()];
    for (const id of byId.keys()) if (!there.has(id)) forget(id);
    for (const id of there) {
      // One that cannot be read is answered with 500; the others are served.
      await reload(id).catch((error: unknown) => logger.error({ error, id }, 'a definition could not be read'));
    }
    // What the stream has not brought nobody has been told of, even where somebody has read it since.
    for (const id of before) tell(id);
  };

  const inBackground = (work: Promise<unknown>): void => {
    work.catch((error: unknown) => logger.error({ error }, 'a definition could not be read'));
  };

  /** Takes a definition from its event, in commit order; its number is read afterwards, by who writes. */
  const apply = (id: string, revision: number, event: EventEnvelope, beside: DefinitionBeside = {}): void => {
    const known = byId.get(id);
    if (known !== undefined && known.revision >= revision) return;
    if (event.type !== collectionUpdated.type && event.type !== collectionCreated.type) return;
    const { name, definition } = event.data as { name: string; definition: Definition };
    put(make({ id, name, revision }, { definition, ...beside }, { def: known?.def ?? 1 }));
    inBackground(reload(id));
  };

  const follow = ({ collection, id, revision, event, beside, deleted, clusterTime }: Change): void => {
    if (collection !== definitionsCollection || event === undefined) return;
    try {
      if (deleted || event.type === collectionDeleted.type) forget(id);
      else apply(id, revision, event, beside);
    } catch (error) {
      // A later version of the service may have written it. Thrown here it would end the stream, and come again, for ever: this one collection is
      // answered with 500 until somebody can read it, and all others are served.
      logger.error({ error, id }, 'a definition could not be read');
      forget(id);
    }
    if (byId.get(id)?.revision === revision) asOf.set(id, clusterTime);
    tell(id);
  };

  return {
    async start() {
      events.stream.subscribe(follow, () => inBackground(reloadAll()));
      await reloadAll();
    },
    refresh: reloadAll,
    async find(name) {
      const id = idByName.get(name);
      const known = id === undefined ? undefined : byId.get(id);
      if (known !== undefined) return known;
      const document = await definitions.findOne({ name }, { projection: { _id: 1 } });
      return document === null ? undefined : reload(document._id);
    },
    get: (id) => byId.get(id),
    knownAsOf: (id) => asOf.get(id),
    reload,
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
