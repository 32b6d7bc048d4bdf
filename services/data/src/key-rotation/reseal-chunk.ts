import type { Annotation, Events } from '@causeway/events';
import { BSON } from 'mongodb';

import type { Collection } from '../collections/collection-registry.ts';
import { BrokenSeal } from '../encryption/encryption.errors.ts';
import { resealed } from '../encryption/seal-fields.ts';
import { givingWay } from '../pacing/give-way.ts';
import type { RecordDocument } from '../records/record.model.ts';
import type { RotationDocument } from './rotation.model.ts';
import { passBegin, rotationsCollection } from './rotation.model.ts';

/** Records that are read together, and written. */
const mostAtOnce = 200;
const mostBytes = 8 * 1_048_576;

/** Somebody else goes on with the rotation: this process was taken for dead. */
export class RotationLost extends Error {
  override readonly name = 'RotationLost';
}

/** What {@link createResealChunk} is given. */
export interface ResealChunkDependencies {
  readonly events: Pick<Events, 'db'>;
  readonly logger: { error(fields: Record<string, unknown>, message: string): void };
}

type Row = Pick<RecordDocument, '_id' | 'revision' | 'sealed'>;

/**
 * Makes what brings a rotation some records further: those behind its place, in the order of their ids, whose values were not sealed with the current
 * key are sealed anew, as they are. Nothing is written over that somebody has changed since it was read: who changes a record seals it with the
 * current key. The place moves on afterwards, by compare-and-set; what was done twice was done once.
 *
 * @returns it gives where the rotation is then; it throws {@link RotationLost}
 */
export function createResealChunk({ events, logger }: ResealChunkDependencies) {
  const rotations = events.db.collection<RotationDocument>(rotationsCollection);

  const read = async ({ records }: Collection, after: string | undefined): Promise<readonly Row[]> => {
    const rows = records.native
      .find<Row>(after === undefined ? {} : { _id: { $gt: after } }, {
        projection: { revision: 1, sealed: 1 },
        batchSize: 50,
      })
      .sort({ _id: 1 })
      .limit(mostAtOnce);
    const found: Row[] = [];
    let bytes = 0;
    for await (const row of rows) {
      found.push(row);
      bytes += BSON.calculateObjectSize(row);
      if (bytes >= mostBytes) break;
    }
    return found;
  };

  const annotationOf = (
    collection: Collection,
    { _id: id, revision, sealed }: Row,
  ): Annotation<RecordDocument> | 'broken' | undefined => {
    if (sealed === undefined || sealed.key === collection.cipher?.current) return undefined;
    // The definition has been read since: what it does not have is nowhere, and a look at it later would find no more.
    if (collection.cipher?.knows(sealed.key) !== true) {
      logger.error(
        { collection: collection.name, id, key: sealed.key },
        'a value was sealed with a key that is not there, and keeps it',
      );
      return 'broken';
    }
    try {
      const given = { 'sealed.key': sealed.key };
      return { id, revision, given, set: { sealed: resealed(collection, id, sealed) } };
    } catch (error) {
      if (!(error instanceof BrokenSeal)) throw error;
      logger.error({ error, collection: collection.name, id }, 'a sealed value does not open, and keeps its key');
      return 'broken';
    }
  };

  return async (collection: Collection, place: RotationDocument): Promise<RotationDocument> => {
    const { _id, version, pass, after } = place;
    const rows = await read(collection, after);
    const annotations: Annotation<RecordDocument>[] = [];
    let broken = 0;
    for await (const row of givingWay(rows)) {
      const annotation = annotationOf(collection, row);
      if (annotation === 'broken') broken += 1;
      else if (annotation !== undefined) annotations.push(annotation);
    }
    await collection.records.annotate(annotations);
    const resealedInPass = place.resealedInPass + annotations.length;
    const last = rows.at(-1)?._id;
    // Where there was something to do somebody may have been about to write what they had read before: it is looked at once more.
    const isDone = last === undefined && resealedInPass === 0;
    const isOver = last === undefined && !isDone;
    const at = {
      _id,
      version,
      stage: 'resealing',
      pass,
      ...(after === undefined ? { after: { $exists: false } } : { after }),
    } as const;
    const moved = await rotations.findOneAndUpdate(
      at,
      {
        $set: isOver
          ? { pass: pass + 1, ...passBegin }
          : {
              lookedInPass: place.lookedInPass + rows.length,
              resealedInPass,
              broken: place.broken + broken,
              ...(last === undefined ? { stage: 'done' as const } : { after: last }),
            },
        $inc: { resealed: annotations.length },
        ...(isOver ? { $unset: { after: true } } : {}),
      },
      { returnDocument: 'after' },
    );
    if (moved === null) throw new RotationLost('somebody else goes on with this rotation');
    return moved;
  };
}
