import { setTimeout as delay } from 'node:timers/promises';

import { faults } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import { DuplicateKey } from '@causeway/events';
import type { IfMatch } from '@causeway/events';

import type { Collection } from '../collections/collection-registry.ts';
import { bindCondition } from '../conditions/bind-condition.ts';
import { compileFilter } from '../conditions/compile-filter.ts';
import { applyDefaults } from '../fields/apply-defaults.ts';
import { keepDeclared } from '../fields/keep-declared.ts';
import { findVisible } from '../queries/find-records.ts';
import { createApplyChange } from '../records/change-record.ts';
import type { ChangedRecord, ChangeRecordDependencies } from '../records/change-record.ts';
import { checkFields } from '../records/check-fields.ts';
import { createStoreRecord } from '../records/create-record.ts';
import { createInTurn } from '../records/in-turn.ts';
import { demandReadable } from '../records/judge-record.ts';
import { boundFaults } from '../records/record-faults.ts';
import type { Fields, RecordDocument } from '../records/record.model.ts';
import { showRecord } from '../records/show-record.ts';
import { underDefinition } from '../records/under-definition.ts';
import { followAll, followFrom } from '../rules/follow/follow-records.ts';
import type { Caller } from '../rules/rule.ts';
import { canEver, decide } from '../rules/rule.ts';
import { demandSeen } from '../rules/see.ts';
import { parseSort } from '../sorting/sort.ts';
import type { UniqueKey } from './unique-key.ts';
import { keyOf } from './unique-key.ts';

/** What somebody wants to be stored, whether or not it is there. */
export interface UpsertRecord {
  readonly collection: string;
  /** The fields of a unique index. */
  readonly by: readonly string[];
  readonly fields: Fields;
  readonly caller: Caller;
  /** Only to change one that has this revision. */
  readonly ifMatch: IfMatch | undefined;
  /** Only to create one. */
  readonly createOnly: boolean;
}

/** The record as it is stored now. */
export interface UpsertedRecord extends ChangedRecord {
  readonly isNew: boolean;
}

/** Somebody else has made, moved or deleted the record since we looked. */
class Overtaken extends Error {
  override readonly name = 'Overtaken';
}

/** What others have made is seen once a majority has it. */
const limits = { tries: 10, pauseMs: 20, longestPauseMs: 200, changeTries: 25 };

const noOrder = parseSort([], () => undefined);

/**
 * Creates a record, or replaces the one that has the same unique key.
 *
 * @returns the use case; it throws faults `key-not-unique`, `precondition-failed`, `conflict` where others are faster every time, and
 *   those of creating and changing
 */
export function createUpsertRecord({ events, registry, now }: ChangeRecordDependencies) {
  const inTurn = createInTurn();
  const storeRecord = createStoreRecord({ events, registry, now });
  const applyChange = createApplyChange({ events, registry, now });

  /** The id of the record that has the key, as far as the caller may see. */
  const find = async (
    collection: Collection,
    caller: Caller,
    { condition, isOf }: UniqueKey,
  ): Promise<string | undefined> => {
    const query = {
      ...{ filter: condition, condition: bindCondition(condition, {}), at: now() },
      ...{ sort: noOrder.ok ? noOrder.value : [], fields: undefined },
    };
    const seeing = await followAll(events.db, collection, caller);
    for await (const record of findVisible(collection, seeing, query, { limit: 1, read: {} })) {
      return isOf(record) ? record._id : undefined;
    }
    return undefined;
  };

  const isHidden = async (collection: Collection, caller: Caller, key: UniqueKey): Promise<boolean> => {
    const filter = compileFilter(bindCondition(key.condition, {}));
    const there = await collection.records.native.findOne(filter, { projection: { _id: 1 } });
    return there !== null && (await find(collection, caller, key)) === undefined;
  };

  const create = async (cause: Cause, collection: Collection, command: UpsertRecord): Promise<UpsertedRecord> => {
    if (command.ifMatch !== undefined) throw faults.preconditionFailed();
    const { document, event } = await storeRecord(cause, collection, command);
    const shown = showRecord(collection, command.caller, document, { at: now() });
    return { shown, eventId: event.id, isNew: true };
  };

  const change = async (
    cause: Cause,
    collection: Collection,
    { command, key, id }: { readonly command: UpsertRecord; readonly key: UniqueKey; readonly id: string },
  ): Promise<UpsertedRecord> => {
    const { caller, ifMatch, createOnly, fields } = command;
    if (createOnly) throw faults.preconditionFailed();
    const asked = {
      ...{ id, caller, ifMatch },
      change: (current: Fields) => keepDeclared(collection.fields, fields, current),
      demand: async (current: RecordDocument): Promise<void> => {
        const seeing = await followFrom(events.db, collection, caller, [current], { only: 'read' });
        const isSeen = decide(collection.rules.read, seeing, current, { at: now() });
        if (!key.isOf(current) || !isSeen) throw new Overtaken();
      },
    };
    const write = await applyChange(cause, collection, asked, { tries: limits.changeTries });
    if (write === undefined) throw new Overtaken();
    const shown = showRecord(collection, caller, write.document, { at: now() });
    return { shown, eventId: write.event?.id, isNew: false };
  };

  const write = async (
    cause: Cause,
    collection: Collection,
    command: UpsertRecord,
    key: UniqueKey,
  ): Promise<UpsertedRecord> => {
    for (let tries = 1; ; tries += 1) {
      const id = await find(collection, command.caller, key);
      try {
        return id === undefined
          ? await create(cause, collection, command)
          : await change(cause, collection, { command, key, id });
      } catch (error) {
        const isTaken = error instanceof DuplicateKey && id === undefined && key.isOfIndex(error.keyPattern);
        if (!isTaken && !(error instanceof Overtaken)) throw error;
        // By a record that the caller may not see, and not by one that has just been made.
        if (isTaken && (await isHidden(collection, command.caller, key))) throw error;
        if (tries === limits.tries) throw isTaken ? error : faults.conflict({ cause: error });
      }
      await delay(Math.min(tries * limits.pauseMs, limits.longestPauseMs) * (0.5 + Math.random()));
    }
  };

  return async (cause: Cause, command: UpsertRecord): Promise<UpsertedRecord> =>
    underDefinition(registry, command.collection, async (collection) => {
      const { by, caller, fields } = command;
      demandWriter(collection, caller);
      // What the key is looked for in has to be what a record can be; whether the schema allows it is seen to later.
      const structural = checkFields(fields);
      if (structural.length > 0) throw faults.invalidRequest({ errors: boundFaults(structural) });
      const whole = applyDefaults(collection.fields, fields, caller, now()) as Fields;
      const key = keyOf(collection, caller, by, { fields: whole, createdBy: cause.principal.id });
      demandSeen(collection, caller, { filter: key.condition }, () => ({ parameter: 'by' }));
      return await inTurn(`${collection.id}/${key.text}`, () => write(cause, collection, command, key));
    });
}

/** Refuses callers who can write nothing in a collection, before it is told what its indexes are. */
function demandWriter({ rules, ...rest }: Collection, caller: Caller): void {
  if (canEver(rules.create, caller) || canEver(rules.update.before, caller)) return;
  demandReadable({ rules, ...rest }, caller);
  throw faults.forbidden();
}
