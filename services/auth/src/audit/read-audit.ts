import type { Filter, FindCursor } from 'mongodb';

import type { AuditCursors } from './audit-cursors.ts';
import type { AuditEntry } from './audit-entry.ts';
import type { AuditCollections } from './audit.model.ts';

/** Which entries are asked for. */
export interface AuditQuestion {
  /** Whom they are about. */
  readonly account?: string | undefined;
  /** Who did it. */
  readonly actor?: string | undefined;
  readonly type?: string | undefined;
  readonly outcome?: AuditEntry['outcome'] | undefined;
  /** ISO 8601: from this time on, … */
  readonly from?: string | undefined;
  /** … and before this one. */
  readonly to?: string | undefined;
}

/** A page of entries, the newest first. */
export interface AuditPage {
  readonly entries: readonly AuditEntry[];
  readonly nextCursor: string | null;
}

/** Which page is asked for, and by whom. */
export interface PageOptions {
  readonly cursor?: string | undefined;
  readonly limit: number;
  /** Id of the account that asks: a cursor is its own. */
  readonly reader: string;
}

/** Reads of the audit. */
export interface ReadAudit {
  /** @throws Fault `invalid-request` for a cursor that is none of ours, or of another question; `not-found` for another reader's */
  page(question: AuditQuestion, options: PageOptions): Promise<AuditPage>;
  /** All of them, the newest first; to be closed by whoever asks. */
  all(question: AuditQuestion): FindCursor<AuditEntry>;
}

/** How long MongoDB may take for a page: each filter has its index, so it takes no longer but in an outage. */
const patienceMs = 5_000;

/** How long it may work for an export, all batches together; the client may take its time. */
const exportMs = 600_000;

const newestFirst = { at: -1, _id: -1 } as const;

const filterOf = ({ account, actor, type, outcome, from, to }: AuditQuestion): Filter<AuditEntry> => ({
  ...(account !== undefined && { accountId: account }),
  ...(actor !== undefined && { actorId: actor }),
  ...(type !== undefined && { type }),
  ...(outcome !== undefined && { outcome }),
  ...((from ?? to) !== undefined && {
    at: {
      ...(from !== undefined && { $gte: new Date(from) }),
      ...(to !== undefined && { $lt: new Date(to) }),
    },
  }),
});

const scopeOf = ({ account, actor, type, outcome, from, to }: AuditQuestion): string =>
  JSON.stringify([account ?? null, actor ?? null, type ?? null, outcome ?? null, from ?? null, to ?? null]);

/** What {@link createReadAudit} is given. */
export interface ReadAuditDependencies {
  readonly entries: AuditCollections['entries'];
  readonly cursors: AuditCursors;
}

/** Makes what reads the audit. */
export const createReadAudit = ({ entries, cursors }: ReadAuditDependencies): ReadAudit => ({
  async page(question, { cursor, limit, reader }) {
    const scope = { question: scopeOf(question), reader };
    const place = cursor === undefined ? undefined : cursors.open(scope, cursor);
    // Said twice: the first bounds where the index is read, the second is exact.
    const after: Filter<AuditEntry> =
      place === undefined
        ? {}
        : { at: { $lte: place.at }, $or: [{ at: { $lt: place.at } }, { _id: { $lt: place._id } }] };
    const found = await entries
      .find({ $and: [filterOf(question), after] }, { maxTimeMS: patienceMs })
      .sort(newestFirst)
      .limit(limit + 1)
      .toArray();
    const page = found.slice(0, limit);
    const last = found.length > limit ? page.at(-1) : undefined;
    return {
      entries: page,
      nextCursor: last === undefined ? null : cursors.seal(scope, last),
    };
  },
  all: (question) => entries.find(filterOf(question), { maxTimeMS: exportMs }).sort(newestFirst),
});
