import { isDeepStrictEqual } from 'node:util';

import { Fault, faults } from '@causeway/contracts';
import { DuplicateKey, idempotencyFaults } from '@causeway/events';
import type { Creation } from '@causeway/events';
import { parseJson } from '@causeway/service';

import type { Collection } from '../collections/collection-registry.ts';
import { decideCreate } from '../records/create-record.ts';
import { maxRecordBytes } from '../records/judge-record.ts';
import type { RecordDocument } from '../records/record.model.ts';
import { faultOfWrite, isOutdated, OutdatedDefinition } from '../records/under-definition.ts';
import { createFollow } from '../rules/follow/follow-records.ts';
import { openFields } from '../encryption/seal-fields.ts';
import { referencesOf } from '../references/declared-references.ts';
import { newlyNamed } from '../references/referenced-ids.ts';
import type { LineCreation, LineResult, ReferringLine } from './import-referring.ts';
import { createReferring, isThere, writtenBefore } from './import-referring.ts';
import type { ImportWriter } from './import-writer.ts';
import type { Line } from './read-lines.ts';

/** What has become of a line. */
export type LineOutcome =
  | { readonly kind: 'created'; readonly eventId: string | undefined }
  | { readonly kind: 'failed'; readonly fault: Fault };

/** Lines that are written together. */
export interface Batch {
  readonly lines: readonly Line[];
  /** By line number; a line without one is yet to be written. */
  readonly outcomes: Map<number, LineOutcome>;
}

const [keyReused] = idempotencyFaults;

/**
 * Writes the lines of a batch that have no outcome yet, by one unordered insert, those that refer to other records by transactions; a line that fails keeps no other from its
 * place.
 *
 * @throws OutdatedDefinition where MongoDB refused lines because of a newer definition: call it again under that one;
 *   faults that are ours and not a line's
 */
export async function writeBatch(collection: Collection, batch: Batch, writer: ImportWriter): Promise<void> {
  const { outcomes } = batch;
  const waiting = batch.lines.filter(({ number }) => !outcomes.has(number));
  const references = referencesOf(collection);
  const creations: ReferringLine[] = [];
  for (const line of waiting) {
    try {
      const creation = await decideLine(collection, line, writer);
      creations.push({ line, creation, named: newlyNamed(references, undefined, creation.state.fields) });
    } catch (error) {
      outcomes.set(line.number, { kind: 'failed', fault: lineFault(error) });
    }
  }
  const naming = creations.filter(({ named }) => named.length > 0);
  const others = creations.filter(({ named }) => named.length === 0);
  const outdated: Line[] = [];
  const settle = async ({ line, creation, result }: LineResult): Promise<void> => {
    if (!('error' in result)) outcomes.set(line.number, { kind: 'created', eventId: result.event.id });
    else if (isOutdated(result.error)) outdated.push(line);
    else outcomes.set(line.number, await outcomeOfError(collection, creation, result.error));
  };
  for (const each of await createAll(collection, others, writer)) await settle(each);
  // One after the other: what is written stays so, whatever becomes of the others.
  for await (const each of createReferring(collection, naming, writer)) await settle(each);
  if (outdated.length > 0) throw new OutdatedDefinition();
}

async function createAll(
  collection: Collection,
  creations: readonly LineCreation[],
  writer: ImportWriter,
): Promise<readonly LineResult[]> {
  if (creations.length === 0) return [];
  // One that was deleted since would be created again: nothing but its tombstone tells of it.
  const before = await writtenBefore(collection, creations, writer);
  const fresh = creations.filter(({ creation }) => !before.has(creation._id));
  const there = creations.filter(({ creation }) => before.has(creation._id));
  const results = await collection.records.createMany(
    writer.cause,
    fresh.map(({ creation }) => creation),
  );
  return [
    ...there.map((each): LineResult => ({ ...each, result: { error: isThere(each) } })),
    ...fresh.map((each, index): LineResult => ({ ...each, result: results[index] ?? { error: undefined } })),
  ];
}

async function decideLine(
  collection: Collection,
  line: Line,
  { cause, caller, idOf, now, startedAt, lookup }: ImportWriter,
): Promise<Creation<RecordDocument>> {
  if (line.bytes === undefined) {
    const detail = `A line may hold at most ${maxRecordBytes} bytes.`;
    throw faults.payloadTooLarge({ detail, extensions: { limitBytes: maxRecordBytes } });
  }
  const fields = parseJson(line.bytes);
  const follow = createFollow(lookup.db, {});
  const given = { id: idOf(line.number), fields, at: now(), defaultsAt: startedAt, follow };
  return await decideCreate(collection, caller, cause.principal.id, given);
}

/** A line that was written by an earlier run of the same import is there already, and created. */
async function outcomeOfError(
  collection: Collection,
  { _id, state }: Creation<RecordDocument>,
  error: unknown,
): Promise<LineOutcome> {
  if (error instanceof Fault) return { kind: 'failed', fault: lineFault(error) };
  if (!(error instanceof DuplicateKey) || !('_id' in error.keyPattern)) {
    return { kind: 'failed', fault: lineFault(faultOfWrite(error, collection)) };
  }
  const there = await collection.records.native.findOne({ _id }, { projection: { fields: 1, sealed: 1, revision: 1 } });
  // One that somebody has changed or deleted since cannot be compared any more.
  const isSame =
    there === null ||
    there.revision > 1 ||
    isDeepStrictEqual(openFields(collection, there), openFields(collection, { ...state, _id }));
  return isSame ? { kind: 'created', eventId: undefined } : { kind: 'failed', fault: keyReused() };
}

/** What is wrong with a line; what is wrong with us is thrown, and ends the import. */
function lineFault(error: unknown): Fault {
  if (error instanceof Fault && error.status < 500) return error;
  throw error;
}
