import { isDeepStrictEqual } from 'node:util';

import { Fault, faults } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import { DuplicateKey, idempotencyFaults } from '@causeway/events';
import type { Creation } from '@causeway/events';
import { parseJson } from '@causeway/service';

import type { Collection } from '../collections/collection-registry.ts';
import { decideCreate } from '../records/create-record.ts';
import { maxRecordBytes } from '../records/judge-record.ts';
import type { RecordDocument } from '../records/record.model.ts';
import { faultOfWrite, isOutdated, OutdatedDefinition } from '../records/under-definition.ts';
import type { Caller } from '../rules/rule.ts';
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

/** Who imports, and under which ids. */
export interface ImportWriter {
  readonly cause: Cause;
  readonly caller: Caller;
  /** Gives a line its record's id. */
  readonly idOf: (line: number) => string;
  readonly now: () => Date;
  /** When the import was begun first, where it may be repeated: a line that comes again has the same defaults. */
  readonly startedAt?: Date;
}

const [keyReused] = idempotencyFaults;

/**
 * Writes the lines of a batch that have no outcome yet, by one unordered insert; a line that fails keeps no other from its
 * place.
 *
 * @throws OutdatedDefinition where MongoDB refused lines because of a newer definition: call it again under that one;
 *   faults that are ours and not a line's
 */
export async function writeBatch(collection: Collection, batch: Batch, writer: ImportWriter): Promise<void> {
  const { outcomes } = batch;
  const waiting = batch.lines.filter(({ number }) => !outcomes.has(number));
  const creations = waiting.flatMap((line): { line: Line; creation: Creation<RecordDocument> }[] => {
    try {
      return [{ line, creation: decideLine(collection, line, writer) }];
    } catch (error) {
      outcomes.set(line.number, { kind: 'failed', fault: lineFault(error) });
      return [];
    }
  });
  if (creations.length === 0) return;
  const results = await collection.records.createMany(
    writer.cause,
    creations.map(({ creation }) => creation),
  );
  let outdated = false;
  for (const [index, result] of results.entries()) {
    const { line, creation } = creations[index] ?? {};
    if (line === undefined || creation === undefined) continue;
    if (!('error' in result)) outcomes.set(line.number, { kind: 'created', eventId: result.event.id });
    else if (isOutdated(result.error)) outdated = true;
    else outcomes.set(line.number, await outcomeOfError(collection, creation, result.error));
  }
  if (outdated) throw new OutdatedDefinition();
}

function decideLine(
  collection: Collection,
  line: Line,
  { cause, caller, idOf, now, startedAt }: ImportWriter,
): Creation<RecordDocument> {
  if (line.bytes === undefined) {
    const detail = `A line may hold at most ${maxRecordBytes} bytes.`;
    throw faults.payloadTooLarge({ detail, extensions: { limitBytes: maxRecordBytes } });
  }
  const fields = parseJson(line.bytes);
  const given = { id: idOf(line.number), fields, at: now(), defaultsAt: startedAt };
  return decideCreate(collection, caller, cause.principal.id, given);
}

/** A line that was written by an earlier run of the same import is there already, and created. */
async function outcomeOfError(
  { records }: Collection,
  { _id, state }: Creation<RecordDocument>,
  error: unknown,
): Promise<LineOutcome> {
  if (!(error instanceof DuplicateKey) || !('_id' in error.keyPattern)) {
    return { kind: 'failed', fault: lineFault(faultOfWrite(error)) };
  }
  const there = await records.native.findOne({ _id }, { projection: { fields: 1, revision: 1 } });
  // One that somebody has changed or deleted since cannot be compared any more.
  const isSame = there === null || there.revision > 1 || isDeepStrictEqual(there.fields, state.fields);
  return isSame ? { kind: 'created', eventId: undefined } : { kind: 'failed', fault: keyReused() };
}

/** What is wrong with a line; what is wrong with us is thrown, and ends the import. */
function lineFault(error: unknown): Fault {
  if (error instanceof Fault && error.status < 500) return error;
  throw error;
}
