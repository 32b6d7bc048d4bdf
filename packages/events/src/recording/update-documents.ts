import type { ClientSession, Collection, Db, Filter } from 'mongodb';

import { eventLog, type LoggedEvent } from '../log/event-log.ts';
import type { CompareAndSet } from './compare-and-set.ts';
import { refusalsOnly } from './errors.ts';
import { tombstoneId, tombstones, type RecordedDocument, type Tombstone } from './recorded-document.ts';
import { together, type Outcome } from './together.ts';
import { unsettled } from './unknown-outcome.ts';

/** How a compare-and-set is carried out. */
export interface UpdaterOptions {
  /** Of a transaction. */
  readonly session?: ClientSession | undefined;
  /** Outside a transaction: by itself, however long it has to wait for one that has written the same document. */
  readonly alone?: boolean;
}

/** What waits for a transaction holds up those that go along; they are tried again without it. Many times what a hundred of them take. */
const mostTogetherMs = 1_000;

/**
 * Carries out a compare-and-set; outside a transaction together with others that come while one is under way.
 *
 * @returns whether the document was as it had to be, and is changed
 * @throws what MongoDB says of it, as the driver does
 */
export type Updater<Doc extends RecordedDocument> = (
  change: CompareAndSet<Doc>,
  options: UpdaterOptions,
) => Promise<boolean>;

/** Makes the updater of a collection. */
export const createUpdater = <Doc extends RecordedDocument>(native: Collection<Doc>, db: Db): Updater<Doc> => {
  const one = async ({ filter, update }: CompareAndSet<Doc>, session?: ClientSession): Promise<boolean> => {
    // Not `findOneAndUpdate`: so that it can be tried again, MongoDB would write down what it answers, at each call.
    const { matchedCount } = await native.updateOne(filter, update, session === undefined ? {} : { session });
    return matchedCount > 0;
  };

  /** The events that have been recorded: in their documents, where these were deleted in what is left of them, or in the log. */
  const recordedOf = async (changes: readonly CompareAndSet<Doc>[]): Promise<ReadonlySet<string>> => {
    const ids = [...new Set(changes.map(({ document }) => document._id))];
    const projection = { event: 1, outbox: 1 };
    // One after the other, in the way that an event takes: what is not in its document any more is in what is left of that, or in the log.
    const rows = native.find<RecordedDocument>({ _id: { $in: ids } } as unknown as Filter<Doc>, { projection });
    const places: RecordedDocument[] = await rows.toArray();
    const buried = { _id: { $in: ids.map((id) => tombstoneId(native.collectionName, id)) } };
    const graves = await db.collection<Tombstone>(tombstones).find(buried, { projection }).toArray();
    const recorded = new Set(
      [...places, ...graves].flatMap(({ event, outbox }) => [event, ...outbox.map(({ id }) => id)]),
    );
    const left = changes.map(({ document }) => document.event).filter((event) => !recorded.has(event));
    const logged = db.collection<LoggedEvent>(eventLog).find({ _id: { $in: left } }, { projection: { _id: 1 } });
    for await (const { _id } of logged) recorded.add(_id);
    return recorded;
  };

  /** MongoDB tells how many of a bulk have matched, and not which. */
  const tellApart = async (
    changes: readonly CompareAndSet<Doc>[],
    refused: ReadonlySet<number>,
  ): Promise<readonly Outcome<boolean>[]> => {
    const recorded = await recordedOf(changes).catch((error: unknown) => {
      throw unsettled(error);
    });
    return Promise.all(
      changes.map(async (change, index): Promise<Outcome<boolean>> => {
        if (!refused.has(index)) return { value: recorded.has(change.document.event) };
        // Alone MongoDB tells more of why.
        return one(change).then(
          (value) => ({ value }),
          (error: unknown) => ({ error }),
        );
      }),
    );
  };

  const all = async (changes: readonly CompareAndSet<Doc>[]): Promise<readonly Outcome<boolean>[]> => {
    const writes = changes.map(({ filter, update }) => ({ updateOne: { filter, update } }));
    let refused = new Set<number>();
    try {
      const { matchedCount } = await native.bulkWrite(writes, { ordered: false, maxTimeMS: mostTogetherMs });
      if (matchedCount === changes.length) return changes.map(() => ({ value: true }));
    } catch (error) {
      const refusals = refusalsOnly(error);
      // Nobody said which of them were made: each is looked for by whoever asked for it.
      if (refusals === undefined) throw error;
      refused = new Set(refusals.map(({ index }) => index));
    }
    return tellApart(changes, refused);
  };

  const soon = together<CompareAndSet<Doc>, boolean>(async (changes) => {
    const [only] = changes;
    return only === undefined || changes.length > 1 ? all(changes) : [{ value: await one(only) }];
  });

  return (change, { session, alone = false }) =>
    session === undefined && !alone ? soon(change) : one(change, session);
};
