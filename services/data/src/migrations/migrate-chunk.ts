import type { Cause } from '@causeway/contracts';
import { Contended, OutOfTime, RefusedWrite } from '@causeway/events';
import type { Events, PlannedWrite } from '@causeway/events';
import { BSON } from 'mongodb';
import type { ClientSession } from 'mongodb';

import { givingWay } from '../pacing/give-way.ts';
import type { Collection, CollectionRegistry } from '../collections/collection-registry.ts';
import { demandWritable } from '../records/judge-record.ts';
import type { RecordDocument } from '../records/record.model.ts';
import {
  demandCurrent,
  faultOfWrite,
  isOutdated,
  OutdatedDefinition,
  underDefinition,
} from '../records/under-definition.ts';
import { deleteWithDependents } from '../records/delete-record.ts';
import { keepReferences } from '../references/keep-references.ts';
import type { NamedRecord } from '../references/referenced-ids.ts';
import type { Caller } from '../rules/rule.ts';
import type { MigrationPlace, MigrationPlaces } from './migration-places.ts';
import { isInTheWay, RecordFailure } from './record-failure.ts';
import type { RecordsStep } from './records-step.ts';

/** What {@link createMigrateChunk} is given. */
export interface MigrateChunkDependencies {
  readonly events: Pick<Events, 'db' | 'transaction'>;
  readonly registry: CollectionRegistry;
  readonly places: MigrationPlaces;
  readonly now: () => Date;
}

/** Records that one transaction looks at: others who write them wait for it, or make it begin anew. */
const mostAtOnce = 200;
const mostBytes = 8 * 1_048_576;
/** Records that one transaction deletes with what follows from that. */
const mostDeleted = 500;

/** A migration is nobody's call: no rule stands in its way, and no hidden field. */
const migrator: Caller = { signedIn: true, administrator: true, auth: {} };

/** Why a transaction did not come about that looked at fewer records might. */
class TooMany extends Error {
  override readonly name = 'TooMany';
}

/**
 * Makes what brings a step that changes or deletes records one transaction further: the records behind its place are looked at in the order of
 * their ids, what has to be is written, each with its event, and the place is moved on, all of it or nothing. So each record is dealt with
 * once, whoever is killed.
 *
 * @returns it takes the id of the last record that the step is about, too, where that is not the collection's last; it gives where the step is then; it throws {@link RecordFailure}, PlaceLost, and what is not about one record
 */
export function createMigrateChunk({ events, registry, places, now }: MigrateChunkDependencies) {
  const { db } = events;
  const lookup = { db, registry };

  const change = async (
    cause: Cause,
    collection: Collection,
    { step, documents }: Chunk,
    { session, at }: { readonly session: ClientSession; readonly at: Date },
  ): Promise<Dealt> => {
    const writes: (PlannedWrite<RecordDocument> & { readonly kind: 'update' })[] = [];
    const named: (NamedRecord & { readonly by: string })[] = [];
    for await (const document of givingWay(documents)) {
      const decided = about(document._id, () => step.decide(collection, document, cause.principal.id));
      if (decided === undefined) continue;
      writes.push({ kind: 'update', current: document, decision: decided.decision });
      named.push(...decided.named.map((each) => ({ ...each, by: document._id })));
    }
    await keep(named, session, at);
    try {
      await collection.records.writeMany(cause, writes, { session, at });
    } catch (error) {
      if (!(error instanceof RefusedWrite)) throw isInTheWay(error) ? new TooMany('', { cause: error }) : error;
      if (isOutdated(error.cause)) throw new OutdatedDefinition();
      throw failed(writes[error.index]?.current._id ?? '', faultOfWrite(error.cause, collection));
    }
    return { through: documents.length, changed: writes.length };
  };

  const keep = async (
    named: readonly (NamedRecord & { readonly by: string })[],
    session: ClientSession,
    at: Date,
  ): Promise<void> => {
    try {
      await keepReferences(lookup, named, { caller: migrator, session, at });
    } catch (error) {
      throw isInTheWay(error) ? new TooMany('', { cause: error }) : error;
    }
  };

  const remove = async (
    cause: Cause,
    collection: Collection,
    { step, documents }: Chunk,
    { session, at }: { readonly session: ClientSession; readonly at: Date },
  ): Promise<Dealt> => {
    let changed = 0;
    for (const [index, { _id }] of documents.entries()) {
      if (changed >= mostDeleted) return { through: index, changed };
      // As those before it have left it: one may have taken it along.
      const document = await collection.records.native.findOne({ _id }, { session });
      if (document === null || !about(_id, () => step.isMet(document))) continue;
      const asking = { caller: migrator, at, session };
      try {
        const { written } = await deleteWithDependents(lookup, cause, collection, document, asking, 'migration');
        changed += written;
      } catch (error) {
        throw failed(_id, faultOfWrite(error, collection));
      }
    }
    return { through: documents.length, changed };
  };

  const attempt = async (
    cause: Cause,
    step: RecordsStep,
    { place, through: end }: Stretch,
    atOnce: number,
    collection: Collection,
    session: ClientSession,
  ): Promise<MigrationPlace> => {
    const at = now();
    await demandCurrent(db, collection, session);
    const { documents, isEnd } = await readBehind(collection, { after: place.after, through: end }, atOnce, session);
    const deal = step.kind === 'change' ? change : remove;
    const { through, changed } = await deal(cause, collection, { step, documents }, { session, at });
    const isOver = isEnd && through === documents.length;
    const last = documents[through - 1]?._id ?? place.after;
    const to = {
      ...(isOver
        ? { step: place.step + 1, after: undefined, lookedInStep: 0, changedInStep: 0 }
        : { after: last, lookedInStep: place.lookedInStep + through, changedInStep: place.changedInStep + changed }),
      looked: place.looked + through,
      changed: place.changed + changed,
    };
    return await places.move(place, to as Partial<MigrationPlace>, session);
  };

  /** With one record it is known which one it is. */
  const explain = async (
    error: unknown,
    { collection: name }: RecordsStep,
    { place: { after }, through }: Stretch,
  ): Promise<unknown> => {
    if (!(error instanceof TooMany)) return error;
    const collection = await registry.find(name);
    const row = await collection?.records.native
      .find(between(after, through), { projection: { _id: 1 } })
      .sort({ _id: 1 })
      .limit(1)
      .next();
    return new RecordFailure(row?._id ?? '', error.cause);
  };

  return async (cause: Cause, step: RecordsStep, place: MigrationPlace, through?: string): Promise<MigrationPlace> => {
    const stretch = { place, through };
    for (let atOnce = mostAtOnce; ; atOnce = Math.ceil(atOnce / 4)) {
      try {
        return await underDefinition(registry, step.collection, async (collection) => {
          demandWritable(collection);
          step.demandPlain(collection);
          return await events.transaction((session) => attempt(cause, step, stretch, atOnce, collection, session));
        });
      } catch (error) {
        // Others write the same records, or nobody says which of them it is: fewer are tried.
        if (!isTooMuchAtOnce(error) || atOnce === 1) throw await explain(error, step, stretch);
      }
    }
  };
}

/** Whether fewer at once may come about. */
const isTooMuchAtOnce = (error: unknown): boolean =>
  error instanceof TooMany || error instanceof OutOfTime || error instanceof Contended;

/** The records that a step has yet to look at. */
interface Stretch {
  readonly place: MigrationPlace;
  /** The id of the last one; undefined where it is that of the collection. */
  readonly through: string | undefined;
}

/** Some of the records of a step. */
interface Chunk {
  readonly step: RecordsStep;
  readonly documents: readonly RecordDocument[];
}

/** What has become of a chunk. */
interface Dealt {
  /** How many of its records have been dealt with. */
  readonly through: number;
  readonly changed: number;
}

/** What is thrown is about one record. */
function about<T>(id: string, decide: () => T): T {
  try {
    return decide();
  } catch (error) {
    throw failed(id, error);
  }
}

const failed = (id: string, error: unknown): unknown => (isInTheWay(error) ? new RecordFailure(id, error) : error);

const between = (after: string | undefined, through: string | undefined) => {
  const ids = { ...(after === undefined ? {} : { $gt: after }), ...(through === undefined ? {} : { $lte: through }) };
  return Object.keys(ids).length === 0 ? {} : { _id: ids };
};

/** Reads the records behind a place, whole, as many as go into one transaction. */
async function readBehind(
  collection: Collection,
  { after, through }: { readonly after: string | undefined; readonly through: string | undefined },
  atOnce: number,
  session: ClientSession,
): Promise<{ readonly documents: readonly RecordDocument[]; readonly isEnd: boolean }> {
  const rows = collection.records.native
    .find(between(after, through), { session, batchSize: 50 })
    .sort({ _id: 1 })
    .limit(atOnce);
  const documents: RecordDocument[] = [];
  let bytes = 0;
  for await (const document of rows) {
    documents.push(document);
    bytes += BSON.calculateObjectSize(document);
    if (bytes >= mostBytes) return { documents, isEnd: false };
  }
  return { documents, isEnd: documents.length < atOnce };
}
