import { newId } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import type { Creation, Events, RecordedWrite, Idempotency, IdempotentRequest } from '@causeway/events';
import { faults } from '@causeway/contracts';
import type { ClientSession } from 'mongodb';

import type { Collection, CollectionRegistry } from '../collections/collection-registry.ts';
import { sealFields } from '../encryption/seal-fields.ts';
import { applyDefaults } from '../fields/apply-defaults.ts';
import { demandFieldRights } from '../fields/check-field-rights.ts';
import { demandFieldWrites } from '../fields/check-writes.ts';
import { createCreateReferring } from '../references/create-referring.ts';
import { referencesOf } from '../references/declared-references.ts';
import { keepReferences } from '../references/keep-references.ts';
import { newlyNamed } from '../references/referenced-ids.ts';
import type { Follow } from '../rules/follow/follow-records.ts';
import { createFollow } from '../rules/follow/follow-records.ts';
import type { Caller } from '../rules/rule.ts';
import { checkRecord, demandCreatable, demandWritable, mayDo } from './judge-record.ts';
import type { RecordDocument } from './record.model.ts';
import { stateOfRecord } from './record-state.ts';
import { created } from './records.events.ts';
import type { ShownRecord } from './show-record.ts';
import { showRecord } from './show-record.ts';
import { underDefinition } from './under-definition.ts';

/** What {@link createCreateRecord} is given. */
export interface CreateRecordDependencies {
  readonly events: Pick<Events, 'db' | 'transaction'>;
  readonly registry: CollectionRegistry;
  readonly idempotency: Idempotency;
  readonly now: () => Date;
}

/** What somebody wants to store. */
export interface CreateRecord {
  readonly collection: string;
  readonly fields: unknown;
  readonly caller: Caller;
  /** The call, where it may be repeated. */
  readonly request: IdempotentRequest | undefined;
}

/** A record that has been stored. */
export interface CreatedRecord extends ShownRecord {
  readonly eventId: string;
}

/**
 * Judges a record that is to be created, and decides what is written.
 *
 * @param id - the record's
 * @param fields - as sent, without defaults
 * @param at - when, for rules that look at it
 * @param defaultsAt - when, for defaults; `at` where nothing is said
 * @param follow - looks where references lead that rules follow
 * @throws Fault `invalid-request`, `payload-too-large`, `forbidden`, `not-found`, `definition-busy`,
 *   `field-forbidden`, `field-read-only`
 */
export async function decideCreate(
  collection: Collection,
  caller: Caller,
  by: string | undefined,
  {
    id,
    fields: sent,
    at,
    defaultsAt = at,
    follow,
  }: {
    readonly id: string;
    readonly fields: unknown;
    readonly at: Date;
    readonly defaultsAt?: Date | undefined;
    readonly follow: Follow;
  },
): Promise<Creation<RecordDocument>> {
  demandCreatable(collection, caller);
  demandWritable(collection);
  const fields = applyDefaults(collection.fields, sent, caller, defaultsAt);
  checkRecord(collection, fields);
  const own = sealFields(collection, { id, fields });
  const state = stateOfRecord(collection, { ...own, ...(by === undefined ? {} : { createdBy: by }) });
  const judged = { ...state, _id: id, revision: 1, createdAt: at, updatedAt: at };
  demandFieldRights(collection, caller, { before: undefined, after: sent, hidden: [] }, judged, { at });
  demandFieldWrites(collection, caller, undefined, sent);
  const asking = await follow(collection, caller, [judged]);
  if (!mayDo(collection, 'create', asking, judged, { at })) throw faults.forbidden();
  return { _id: id, state, event: created(collection, id, state) };
}

/**
 * Makes what stores a record that is new, and holds the records that it names.
 *
 * @returns it throws what {@link decideCreate} throws, `DuplicateKey`, and fault `reference-not-found`
 */
export function createStoreRecord({ events, registry, now }: Omit<CreateRecordDependencies, 'idempotency'>) {
  const createReferring = createCreateReferring({ events, registry });

  return async (
    cause: Cause,
    collection: Collection,
    { fields, caller }: Pick<CreateRecord, 'fields' | 'caller'>,
    session?: ClientSession,
  ): Promise<RecordedWrite<RecordDocument>> => {
    const at = now();
    const follow = createFollow(events.db, { session });
    const given = { id: newId('rec'), fields, at, follow };
    const creation = await decideCreate(collection, caller, cause.principal.id, given);
    const named = newlyNamed(referencesOf(collection), undefined, creation.state.fields);
    if (session !== undefined) await keepReferences({ db: events.db, registry }, named, { caller, at, session });
    return named.length === 0 || session !== undefined
      ? await collection.records.create(cause, creation, session && { session })
      : await createReferring({ cause, collection, creation, named, caller, at });
  };
}

/**
 * Stores a record.
 *
 * @returns the use case; it throws faults `not-found`, `invalid-request`, `forbidden`, `duplicate-value`,
 *   `reference-not-found`, and those of `Idempotency.run`
 */
export function createCreateRecord({ events, registry, idempotency, now }: CreateRecordDependencies) {
  const storeRecord = createStoreRecord({ events, registry, now });

  const write = async (
    cause: Cause,
    collection: Collection,
    command: CreateRecord,
    session?: ClientSession,
  ): Promise<CreatedRecord> => {
    const { document, event } = await storeRecord(cause, collection, command, session);
    return { ...showRecord(collection, command.caller, document, { at: now() }), eventId: event.id };
  };

  return async (cause: Cause, command: CreateRecord): Promise<CreatedRecord & { readonly replayed: boolean }> =>
    underDefinition(registry, command.collection, async (collection) => {
      const { request } = command;
      if (request === undefined) return { ...(await write(cause, collection, command)), replayed: false };
      const effect = (session: ClientSession): Promise<CreatedRecord> => write(cause, collection, command, session);
      const { answer, replayed } = await idempotency.run(request, effect);
      return { ...answer, replayed };
    });
}
