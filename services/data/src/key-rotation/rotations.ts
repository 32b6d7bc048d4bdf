import { faults } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import type { Events, RecordedCollection } from '@causeway/events';

import type { DefinitionDocument } from '../collections/collection.model.ts';
import { updated } from '../collections/collections.events.ts';
import type { CollectionRegistry } from '../collections/collection-registry.ts';
import { lockDefinition } from '../collections/definition-lock.ts';
import { fieldKeyMissing } from '../encryption/encryption.errors.ts';
import type { CollectionKeys, FieldKeys } from '../encryption/field-keys.ts';
import type { FieldRoots } from '../encryption/field-roots.ts';
import type { RotationDocument } from './rotation.model.ts';
import { passBegin, rotationsCollection } from './rotation.model.ts';
import { rotationFaults } from './rotation.errors.ts';

/** What {@link createRotations} is given. */
export interface RotationsDependencies {
  readonly events: Pick<Events, 'db' | 'transaction'>;
  readonly definitions: RecordedCollection<DefinitionDocument>;
  readonly registry: Pick<CollectionRegistry, 'reload'>;
  readonly fieldKeys: FieldKeys;
  readonly fieldRoots: FieldRoots;
}

/** A rotation that has been begun. */
export interface BegunRotation {
  readonly rotation: RotationDocument;
  readonly eventId: string;
}

/** The keys of a collection, and its last rotation. */
export interface KeysOfCollection {
  readonly id: string;
  readonly keys: CollectionKeys;
  readonly rotation: RotationDocument | null;
}

/** Those that are kept for a while among them. */
const mostKeys = 50;

const isEncrypted = ({ definition }: DefinitionDocument): boolean =>
  Object.values(definition.fields ?? {}).some(
    (options) => (options as { readonly encrypted?: unknown }).encrypted === true,
  );

/** What administrators do with the keys of collections. */
export function createRotations({ events, definitions, registry, fieldKeys, fieldRoots }: RotationsDependencies) {
  const { db } = events;
  const rotations = db.collection<RotationDocument>(rotationsCollection);

  /** @throws Fault `not-found`, `nothing-encrypted` */
  const read = async (name: string): Promise<DefinitionDocument & { readonly keys: CollectionKeys }> => {
    const document = await definitions.native.findOne({ name });
    if (document === null) throw faults.notFound();
    const { keys } = document;
    if (keys === undefined || !isEncrypted(document)) throw rotationFaults.nothingEncrypted();
    return { ...document, keys };
  };

  /** @throws Fault `field-key-missing` where this replica could neither open what is there nor make a key that the others open */
  const demandOpen = async (id: string, { current, versions }: CollectionKeys): Promise<void> => {
    for (const each of versions) if (each.version === current) fieldKeys.open(id, each);
    if (!(await fieldRoots.areOurs())) throw fieldKeyMissing({ message: 'its root key is not that of the others' });
  };

  const announce = async (
    cause: Cause,
    { _id: id, name, definition, revision, keys, readSince }: DefinitionDocument & { readonly keys: CollectionKeys },
  ): Promise<BegunRotation> => {
    const version = Math.max(...keys.versions.map((each) => each.version)) + 1;
    const wider = { current: keys.current, versions: [...keys.versions, fieldKeys.make(id, version)] };
    return await events.transaction(async (session) => {
      const begun: RotationDocument = {
        ...{ _id: id, status: 'running', stage: 'announced', version, begunAt: new Date() },
        ...{ pass: 1, resealed: 0, ...passBegin },
      };
      const { _id } = begun;
      await fieldRoots.demandOurs(session);
      const running = await rotations.findOne({ _id, status: 'running' }, { session });
      if (running !== null) throw rotationFaults.underWay();
      await rotations.deleteOne({ _id }, { session });
      await rotations.insertOne(begun, { session });
      // Its event brings the key to every replica in commit order, before anything that is sealed with it.
      const beside = { keys: wider, ...(readSince === undefined ? {} : { readSince }) };
      const decision = { state: { name, definition, ...beside }, event: updated(id, name, definition, beside) };
      const write = await definitions.update(cause, id, () => decision, { ifMatch: [revision], session });
      if (write?.event === undefined) throw faults.conflict();
      return { rotation: begun, eventId: write.event.id };
    });
  };

  return {
    /**
     * Has a collection get a new key.
     *
     * @throws Fault `not-found`, `nothing-encrypted`, `rotation-under-way`, `too-many-keys`, `definition-busy`, `field-key-missing`
     */
    async begin(cause: Cause, name: string): Promise<BegunRotation> {
      const { _id: id, keys } = await read(name);
      if ((await rotations.findOne({ _id: id, status: 'running' })) !== null) throw rotationFaults.underWay();
      if (keys.versions.length >= mostKeys) throw rotationFaults.tooMany();
      await demandOpen(id, keys);
      // So that no definition is committed beside it that knows nothing of the new key.
      const lock = await lockDefinition(db, id, undefined);
      try {
        return await announce(cause, await read(name));
      } finally {
        await lock.release();
        await registry.reload(id);
      }
    },

    /** @throws Fault `not-found`, `nothing-encrypted` */
    async find(name: string): Promise<KeysOfCollection> {
      const { _id: id, keys } = await read(name);
      return { id, keys, rotation: await rotations.findOne({ _id: id }) };
    },
  };
}
