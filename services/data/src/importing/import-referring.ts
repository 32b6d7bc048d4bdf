import { Fault } from '@causeway/contracts';
import { DuplicateKey } from '@causeway/events';
import type { Creation, RecordedWrite } from '@causeway/events';
import type { ClientSession } from 'mongodb';

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
 * written. Where MongoDB refuses one of a hundred, each gets a transaction of its own. Of an import that is repeated the lines whose records
 * are there already name nothing any more: they are given `DuplicateKey`, as where they refer to nothing.
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

/** The ids of those lines that an earlier run of the same import has written, where it may be repeated; whatever became of them since. */
export const writtenBefore = async (
  { records }: Collection,
  lines: readonly LineCreation[],
  { startedAt }: ImportWriter,
  session?: ClientSession,
): Promise<ReadonlySet<string>> => {
  if (startedAt === undefined) return new Set();
  const ids = lines.map(({ creation }) => creation._id);
  return await records.taken(ids, session === undefined ? {} : { session });
};

/** What is said of a line that an earlier run has written. */
export const isThere = ({ creation: { _id } }: LineCreation): DuplicateKey => new DuplicateKey({ _id: 1 }, { _id });

async function createTogether(
  collection: Collection,
  lines: readonly ReferringLine[],
  writer: ImportWriter,
): Promise<readonly LineResult[]> {
  const { records } = collection;
  const { cause, caller, now, lookup, transaction } = writer;
  return await transaction(async (session) => {
    const asking = { caller, at: now(), session };
    const before = await writtenBefore(collection, lines, writer, session);
    const there = lines.filter(({ creation }) => before.has(creation._id));
    const fresh = lines.filter(({ creation }) => !before.has(creation._id));
    const all = fresh.flatMap(({ line, named }) => named.map((each) => ({ ...each, line })));
    const missing = Map.groupBy(await findMissing(lookup, all, asking), ({ line }) => line);
    const good = fresh.filter(({ line }) => !missing.has(line));
    const bad = [
      ...there.map((each): LineResult => ({ ...each, result: { error: isThere(each) } })),
      ...fresh.flatMap((each): LineResult[] => {
        const own = missing.get(each.line);
        return own === undefined ? [] : [{ ...each, result: { error: notThere(own) } }];
      }),
    ];
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
  collection: Collection,
  { named, ...line }: ReferringLine,
  writer: ImportWriter,
): Promise<LineResult> {
  const { records } = collection;
  const { cause, caller, now, lookup, transaction } = writer;
  try {
    const result = await transaction(async (session) => {
      if ((await writtenBefore(collection, [line], writer, session)).size > 0) throw isThere(line);
      await keepReferences(lookup, named, { caller, at: now(), session });
      return await records.create(cause, line.creation, { session });
    });
    return { ...line, result };
  } catch (error) {
    if (!isRefusal(error) && !(error instanceof Fault)) throw error;
    return { ...line, result: { error } };
  }
}
