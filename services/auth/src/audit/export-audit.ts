import { once } from 'node:events';

import type { StreamWriter } from '@causeway/service';

import { representAudit } from './audit-answer.ts';
import type { AuditEntry } from './audit-entry.ts';
import type { AuditQuestion, ReadAudit } from './read-audit.ts';

/** One JSON object a line. */
export const ndjsonType = 'application/x-ndjson';

/** RFC 4180. */
export const csvType = 'text/csv';

/** Entries are sent in pieces of about this size. */
const pieceLength = 65_536;

const columns = [
  ...(['id', 'at', 'type', 'outcome', 'accountId', 'actorType', 'actorId', 'correlationId', 'eventId'] as const),
  ...(['facts', 'personal', 'prev', 'hash'] as const),
];

/** RFC 4180. Text gets a `'` before what a spreadsheet would take for a formula (OWASP, "CSV Injection"): people choose names. */
const cellOf = (value: unknown): string => {
  if (value === null) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};

const csvLine = (cells: readonly unknown[]): string => `${cells.map(cellOf).join(',')}\r\n`;

const csvEntry = (entry: AuditEntry): string => {
  const answer = representAudit(entry);
  return csvLine(columns.map((column) => answer[column]));
};

/**
 * Writes all entries that are asked for, as fast as the client takes them, and no faster. Where MongoDB fails midway the answer is cut off, so
 * that nobody takes it for whole.
 *
 * @param mediaType - {@link ndjsonType} or {@link csvType}
 * @param signal - aborted when the client goes
 */
export const exportAudit =
  (readAudit: Pick<ReadAudit, 'all'>, question: AuditQuestion, mediaType: string, signal: AbortSignal): StreamWriter =>
  async (response) => {
    const isCsv = mediaType === csvType;
    const cursor = readAudit.all(question);
    let piece = isCsv ? csvLine(columns) : '';
    try {
      for await (const entry of cursor) {
        signal.throwIfAborted();
        piece += isCsv ? csvEntry(entry) : `${JSON.stringify(representAudit(entry))}\n`;
        if (piece.length < pieceLength) continue;
        if (!response.write(piece)) await once(response, 'drain', { signal });
        piece = '';
      }
    } finally {
      await cursor.close();
    }
    if (piece !== '') response.write(piece);
  };
