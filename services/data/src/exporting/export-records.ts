import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

import { readAfter } from '@causeway/events';
import type { Answer } from '@causeway/service';
import type { AbstractCursor, MongoClient, Timestamp } from 'mongodb';

import type { Collection } from '../collections/collection-registry.ts';
import { findVisible } from '../queries/find-records.ts';
import { findRanked } from '../queries/find-ranked.ts';
import { inTime } from '../queries/in-time.ts';
import { answerAsked } from '../queries/project-record.ts';
import { rankNames } from '../queries/rank.ts';
import type { RecordQuery } from '../queries/asked-query.ts';
import { demandWords } from '../queries/under-words.ts';
import type { Shown, VisibleRecord } from '../records/record.model.ts';
import { queryTooSlow } from '../records/records.errors.ts';
import type { Caller } from '../rules/rule.ts';
import { createSight } from '../rules/see.ts';
import { csvRow } from './csv.ts';
import { declaredFields } from './declared-fields.ts';

/** One JSON object a line. */
export const ndjsonType = 'application/x-ndjson';

/** RFC 4180. */
export const csvType = 'text/csv';

/** Rows are sent in pieces of about this size. */
const pieceLength = 65_536;

/** What is exported, to whom. */
export interface ExportRecords {
  readonly collection: Collection;
  readonly caller: Caller;
  readonly query: RecordQuery;
  readonly mediaType: typeof ndjsonType | typeof csvType;
  readonly client: MongoClient;
  /** The highest position that the caller has seen. */
  readonly after: Timestamp | undefined;
  /** How long MongoDB may take for one batch; the whole takes as long as there are more. */
  readonly batchTimeoutMs: number;
  /** Aborted when the client goes: MongoDB's cursor is closed then. */
  readonly signal: AbortSignal;
}

/** How records become lines. */
interface Format {
  readonly head: string;
  readonly line: (record: Shown<VisibleRecord>) => string;
}

/**
 * Streams everything that a query finds, as fast as the client takes it. Where MongoDB fails midway the answer is cut
 * off, so that nobody takes it for whole.
 */
export function exportRecords({ collection, caller, query, mediaType, ...reading }: ExportRecords): Answer<200> {
  const format = mediaType === csvType ? csvFormat(collection, query) : ndjsonFormat(query);
  return {
    status: 200,
    headers: {
      'Content-Type': mediaType === csvType ? `${csvType}; charset=utf-8; header=present` : mediaType,
      'Content-Disposition': `attachment; filename="${collection.name}.${mediaType === csvType ? 'csv' : 'ndjson'}"`,
    },
    stream: (response) =>
      readAfter(reading.client, reading.after, async (read) => {
        const late = new AbortController();
        const signal = AbortSignal.any([reading.signal, late.signal]);
        const options = { read: { ...read, signal } };
        const cursor: AbstractCursor<VisibleRecord> =
          query.rank === undefined
            ? findVisible(collection, caller, query, options)
            : findRanked(collection, caller, query, options);
        const { show } = createSight(collection, caller, { at: query.at });
        try {
          const found = inTime(cursor, reading.batchTimeoutMs, () => late.abort(queryTooSlow()));
          const records = onceBegun(found, () => demandWords(collection, query));
          await writeAll(
            response,
            records,
            { ...format, line: (record) => format.line(show(record, query.fields)) },
            reading.signal,
          );
        } finally {
          await cursor.close();
        }
      }),
  };
}

/** Goes on once the first is there, and a demand is met: an index that goes after that takes the cursor with it. */
async function* onceBegun<T>(given: AsyncIterable<T>, demand: () => Promise<void>): AsyncGenerator<T> {
  let hasBegun = false;
  for await (const each of given) {
    if (!hasBegun) await demand();
    hasBegun = true;
    yield each;
  }
}

async function writeAll(
  response: ServerResponse,
  records: AsyncIterable<VisibleRecord>,
  { head, line }: Pick<Format, 'head'> & { readonly line: (record: VisibleRecord) => string },
  signal: AbortSignal,
): Promise<void> {
  let piece = head;
  for await (const record of records) {
    piece += line(record);
    if (piece.length < pieceLength) continue;
    if (!response.write(piece)) await once(response, 'drain', { signal });
    piece = '';
  }
  if (piece !== '') response.write(piece);
}

const ndjsonFormat = (query: RecordQuery): Format => ({
  head: '',
  line: (record) => `${JSON.stringify(answerAsked(record, query))}\n`,
});

/** Columns in the order of the schema, within what the service keeps; those that were named, in their order. */
function csvFormat({ schema }: Collection, query: RecordQuery): Format {
  const { fields, rank } = query;
  const declared = [
    'id',
    ...declaredFields(schema.source),
    'revision',
    'createdAt',
    'updatedAt',
    'createdBy',
    'updatedBy',
  ];
  const own = fields === undefined ? declared : [...new Set(['id', ...fields.map(({ text }) => text)])];
  const columns = rank === undefined ? own : [...own, rankNames[rank]];
  return {
    head: csvRow(columns),
    line: (record) => {
      const answer = answerAsked(record, query);
      return csvRow(columns.map((column) => valueIn(answer, fields === undefined ? [column] : column.split('.'))));
    },
  };
}

function valueIn(value: unknown, segments: readonly string[]): unknown {
  const [first, ...rest] = segments;
  if (first === undefined) return value;
  if (Array.isArray(value)) return value.map((element: unknown) => valueIn(element, segments));
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, first)) return undefined;
  return valueIn((value as Readonly<Record<string, unknown>>)[first], rest);
}
