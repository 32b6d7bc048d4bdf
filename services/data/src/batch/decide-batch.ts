import { setImmediate } from 'node:timers/promises';

import { faults, newId } from '@causeway/contracts';
import type { Creation, PlannedWrite } from '@causeway/events';
import { matches } from '@causeway/service';

import type { Collection } from '../collections/collection-registry.ts';
import { decideChange } from '../records/change-record.ts';
import { changed } from '../records/changed.ts';
import { decideCreate } from '../records/create-record.ts';
import { demandReadable, demandRight, demandWritable, maxRecordBytes } from '../records/judge-record.ts';
import type { RecordDocument } from '../records/record.model.ts';
import { deleted } from '../records/records.events.ts';
import type { Follow } from '../rules/follow/follow-records.ts';
import { decide } from '../rules/rule.ts';
import type { Caller } from '../rules/rule.ts';
import type { Dependent } from '../references/plan-deletion.ts';
import { batchTooLarge, batchTooSlow, faultOfOperation } from './batch.errors.ts';
import { unknownName, withIds } from './named-ids.ts';
import type { Operation, RecordName } from './operation.ts';
import { memberOf } from './operation.ts';
import type { BatchReferences } from './batch-references.ts';
import type { WorkingRecords } from './working-records.ts';

/** What an operation comes to. */
export interface Outcome {
  readonly status: 200 | 201 | 204;
  readonly id: string;
  readonly revision: number;
  /** As the operation leaves it; absent once it is deleted. */
  readonly record: RecordDocument | undefined;
}

/** A write of a batch, and the operation that it is for. */
export interface BatchWrite {
  readonly index: number;
  readonly collection: Collection;
  readonly write: PlannedWrite<RecordDocument>;
  /** The key of the record whose delete it follows from, where nobody has asked for it. */
  readonly parent?: string;
}

/** All that a batch does. */
export interface BatchPlan {
  /** Of every operation. */
  readonly outcomes: readonly Outcome[];
  /** What changes something, in the order of the operations. */
  readonly writes: readonly BatchWrite[];
  /** What was looked at and is not written: to stay as it is until the commit. */
  readonly held: readonly { readonly collection: Collection; readonly id: string }[];
}

/** What a batch is decided by. */
export interface BatchContext {
  readonly caller: Caller;
  readonly by: string | undefined;
  readonly at: Date;
  readonly collections: ReadonlyMap<string, Collection>;
  readonly records: WorkingRecords;
  readonly references: BatchReferences;
  /** By the records as the operations so far leave them. */
  readonly follow: Follow;
  readonly isTimeUp: () => boolean;
}

/** What a transaction is to write at most. */
const maxBytes = 8 * 1_048_576;
/** A row keeps at most 4 MiB of events that are not published, and an update's has the record before and after. */
const maxBytesOfRecord = 3 * maxRecordBytes;
/** Rules cost time to judge: after so much of it others get their turn. */
const turnMs = 20;

/**
 * Decides a batch before anything of it is written: each operation by the records as those before it leave them, by the same
 * rules as a write of its own.
 *
 * @throws the fault of the first operation that cannot be, naming it; `batch-too-large`, `batch-too-slow`
 */
export async function decideBatch(operations: readonly Operation[], context: BatchContext): Promise<BatchPlan> {
  const plan = { outcomes: [] as Outcome[], writes: [] as BatchWrite[] };
  const seen = new Map<string, { collection: Collection; id: string }>();
  const names = new Map<string, string>();
  const demandSize = createSizeCheck();
  let turnSince = performance.now();
  for (const [index, operation] of operations.entries()) {
    if (context.isTimeUp()) throw batchTooSlow();
    if (performance.now() - turnSince > turnMs) {
      await setImmediate();
      turnSince = performance.now();
    }
    try {
      const collection = context.collections.get(operation.collection);
      if (collection === undefined) throw faults.notFound();
      const { outcome, write } = await decideOperation(operation, collection, names, context);
      const dependents = await keepReferences(context.references, index, collection, write);
      demandSize(outcome);
      plan.outcomes.push(outcome);
      if (write !== undefined) plan.writes.push({ index, collection, write });
      plan.writes.push(...dependents.map((each) => ({ ...each, index })));
      seen.set(`${collection.id}/${outcome.id}`, { collection, id: outcome.id });
    } catch (error) {
      throw faultOfOperation(error, index, memberOf(operation));
    }
  }
  for (const { collection, id } of await context.references.settle(operations)) {
    seen.set(`${collection.id}/${id}`, { collection, id });
  }
  for (const { collection, write } of plan.writes) seen.delete(`${collection.id}/${idOfWrite(write)}`);
  return { ...plan, held: [...seen.values()] };
}

/** @returns what follows from a delete */
async function keepReferences(
  references: BatchReferences,
  index: number,
  collection: Collection,
  write: PlannedWrite<RecordDocument> | undefined,
): Promise<readonly Dependent[]> {
  if (write?.kind === 'delete') return await references.removed(collection, write.current);
  if (write?.kind === 'create') await references.wrote(index, collection, undefined, write.creation.state.fields);
  else if (write !== undefined) {
    await references.wrote(index, collection, write.current.fields, write.decision.state.fields);
  }
  return [];
}

const idOfWrite = (write: PlannedWrite<RecordDocument>): string =>
  write.kind === 'create' ? write.creation._id : write.current._id;

/** Counts what the operations leave, each time that they leave it: it is written, told by events, and answered. */
function createSizeCheck(): (outcome: Outcome) => void {
  let total = 0;
  const ofRecord = new Map<string, number>();
  return ({ id, record }) => {
    if (record === undefined) return;
    const bytes = Buffer.byteLength(JSON.stringify([record.fields, record.sealed]));
    const own = (ofRecord.get(id) ?? 0) + bytes;
    ofRecord.set(id, own);
    total += bytes;
    if (total <= maxBytes && own <= maxBytesOfRecord) return;
    throw batchTooLarge({ detail: 'What its operations leave is too large together. Send it in several.' });
  };
}

interface Decided {
  readonly outcome: Outcome;
  /** Absent where there is nothing to change. */
  readonly write?: PlannedWrite<RecordDocument>;
}

async function decideOperation(
  operation: Operation,
  collection: Collection,
  names: Map<string, string>,
  context: BatchContext,
): Promise<Decided> {
  const { caller, by, at, records, follow } = context;
  const idOf = (name: string): string => {
    const id = names.get(name);
    if (id === undefined) throw unknownName(name);
    return id;
  };
  if (operation.op === 'create') {
    const id = newId('rec');
    const fields = withIds(operation.fields, idOf);
    if (operation.as !== undefined) names.set(operation.as, id);
    const creation = await decideCreate(collection, caller, by, { id, fields, at, follow });
    const document = unwritten(creation, at);
    records.put(collection, document);
    return { outcome: { status: 201, id, revision: 1, record: document }, write: { kind: 'create', creation } };
  }
  demandReadable(collection, caller);
  const id = idOfRecord(operation.record, idOf);
  const current = records.get(collection, id);
  if (current === undefined) throw faults.notFound();
  const ifMatch = operation.ifMatch === undefined ? undefined : [operation.ifMatch];
  if (operation.op === 'check') {
    const asking = await follow(collection, caller, [current]);
    if (!decide(collection.rules.read, asking, current, { at })) throw faults.notFound();
    if (!matches(ifMatch, current.revision)) throw faults.preconditionFailed();
    return { outcome: { status: 200, id, revision: current.revision, record: undefined } };
  }
  demandWritable(collection);
  const revision = current.revision + 1;
  if (operation.op === 'delete') {
    demandRight(collection, 'delete', await follow(collection, caller, [current]), current, { at });
    if (!matches(ifMatch, current.revision)) throw faults.preconditionFailed();
    records.remove(collection, id);
    const write = { kind: 'delete', current, event: deleted(collection, current, by) } as const;
    return { outcome: { status: 204, id, revision, record: undefined }, write };
  }
  const change = (fields: RecordDocument['fields']): unknown => operation.change(fields, idOf);
  const decision = await decideChange(collection, { caller, ifMatch, change }, current, { by, at, follow });
  if (decision === undefined) {
    return { outcome: { status: 200, id, revision: current.revision, record: current } };
  }
  const document = changed(current, decision, at);
  records.put(collection, document);
  return {
    outcome: { status: 200, id, revision, record: document },
    write: { kind: 'update', current, decision },
  };
}

/** A record as its creation leaves it, but for what only its write knows. */
const unwritten = ({ _id, state }: Creation<RecordDocument>, at: Date): RecordDocument =>
  ({ ...state, _id, revision: 1, createdAt: at, updatedAt: at }) as RecordDocument;

const idOfRecord = (record: RecordName, idOf: (name: string) => string): string =>
  'id' in record ? record.id : idOf(record.as);
