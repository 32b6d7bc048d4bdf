import { faults } from '@causeway/contracts';
import type { Vault } from '@causeway/service';
import { z } from 'zod';

import type { AuditPlace } from './audit-entry.ts';

/** Where a page ends. */
export interface AfterEntry {
  readonly at: Date;
  readonly _id: AuditPlace;
}

/** What a cursor is good for. */
export interface CursorScope {
  /** What is asked for, as a text that is the same for the same question. */
  readonly question: string;
  /** Id of the account that asks. */
  readonly reader: string;
}

/** Cursors of lists of the audit: each good for whom it was answered to, and for that question alone. */
export interface AuditCursors {
  seal(scope: CursorScope, place: AfterEntry): string;
  /** @throws Fault `invalid-request` where it is none of ours, or of another question; `not-found` where it is another's */
  open(scope: CursorScope, cursor: string): AfterEntry;
}

const shape = z.tuple([z.string(), z.string(), z.int(), z.int(), z.int()]);

const purpose = 'audit-cursor';

/** @param vault - the same in every replica */
export const createAuditCursors = (vault: Vault): AuditCursors => ({
  seal({ question, reader }, { at, _id: { chain, seq } }) {
    const text = JSON.stringify([question, reader, at.getTime(), chain, seq]);
    return Buffer.from(vault.seal(text, purpose), 'base64').toString('base64url');
  },
  open({ question, reader }, cursor) {
    const [ofQuestion, ofReader, at, chain, seq] = opened(vault, cursor);
    // What is another person's is not there.
    if (ofReader !== reader) throw faults.notFound();
    if (ofQuestion !== question) throw refused();
    return { at: new Date(at), _id: { chain, seq } };
  },
});

function opened(vault: Vault, cursor: string): z.output<typeof shape> {
  try {
    return shape.parse(JSON.parse(vault.open(cursor, purpose)));
  } catch (cause) {
    throw refused(cause);
  }
}

function refused(cause?: unknown): Error {
  const message = 'Send a cursor as it was answered, with the query that it was answered to.';
  return faults.invalidRequest({ errors: [{ parameter: 'cursor', code: 'invalid-cursor', message }], cause });
}
