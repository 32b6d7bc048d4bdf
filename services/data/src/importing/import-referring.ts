import { Fault } from '@causeway/contracts';
import type { Creation, RecordedWrite } from '@causeway/events';

import type { Collection } from '../collections/collection-registry.ts';
import { isRefusal } from '../references/create-referring.ts';
import { findMissing, holdNamed, keepReferences, notThere } from '../references/keep-references.ts';
import type { NamedRecord } from '../references/referenced-ids.ts';
import type { RecordDocument } from '../records/record.model.ts';
import type { ImportWriter } from './import-writer.ts';
import type { Line } from './read-lines.ts';

/** A line, and the record that it makes. */
export interface LineCreation {
  readonly line: Line;
  readonly creation: Creation<RecordDocument>;
}

/** A line whose record refers to others. */
export interface ReferringLine extends LineCreation {
  readonly named: readonly NamedRecord[];
}

/** What has become of a line. */
export interface LineResult extends LineCreation {
  readonly result: RecordedWrite<RecordDocument> | { readonly error: unknown };
}

/** Lines of one transaction: while it lasts, what they refer to is held. */
const together = 100;

/**
 * Writes lines whose records refer to others, a hundred in a transaction: what they refer to has to be there, and stays until they are
 * written. Where MongoDB refuses one of a hundred, each gets a transaction of its own.
 *
 * @returns gives for each line, in no order, its write or why there is none, as soon as it is known
 * @throws what is no line's fault
 */
export async function* createReferring(
  collection: Collection,
  lines: readonly ReferringLine[],
  writer: ImportWriter,
): AsyncGenerator<LineResult> {
  for (let at = 0; at < lines.length; at += together) {
    const some = lines.slice(at, at + together);
    const results = await createTogether(collection, some, writer).catch((error: unknown) => {
      if (isRefusal(error)) return undefined;
      throw error;
    });
    if (results !== undefined) yield* results;
    else for (const line of some) yield await createAlone(collection, line, writer);
  }
}

async function createTogether(
  { records }: Collection,
  lines: readonly ReferringLine[],
  { cause, caller, now, lookup, transaction }: ImportWriter,
): Promise<readonly LineResult[]> {
  return await transaction(async (session) => {
    const asking = { caller, at: now(), session };
    const all = lines.flatMap(({ line, named }) => named.map((each) => ({ ...each, line })));
    const missing = Map.groupBy(await findMissing(lookup, all, asking), ({ line }) => line);
    const good = lines.filter(({ line }) => !missing.has(line));
    const bad = lines.flatMap((each): LineResult[] => {
      const own = missing.get(each.line);
      return own === undefined ? [] : [{ ...each, result: { error: notThere(own) } }];
    });
    if (good.length === 0) return bad;
    await holdNamed(
      lookup,
      good.flatMap(({ named }) => named),
      asking,
    );
    const creations = good.map(({ creation }) => creation);
    const made = await records.createMany(cause, creations, { session });
    return [...bad, ...good.map((each, index) => ({ ...each, result: made[index] ?? { error: undefined } }))];
  });
}

async function createAlone(
  { records }: Collection,
  { named, ...line }: ReferringLine,
  { cause, caller, now, lookup, transaction }: ImportWriter,
): Promise<LineResult> {
  try {
    const result = await transaction(async (session) => {
      await keepReferences(lookup, named, { caller, at: now(), session });
      return await records.create(cause, line.creation, { session });
    });
    return { ...line, result };
  } catch (error) {
    if (!isRefusal(error) && !(error instanceof Fault)) throw error;
    return { ...line, result: { error } };
  }
}
