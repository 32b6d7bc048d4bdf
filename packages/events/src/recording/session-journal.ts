import type { EventEnvelope } from '@causeway/contracts';
import type { ClientSession } from 'mongodb';

/** Events that were written together, and the row that carries them. */
export interface RecordedRow {
  readonly collection: string;
  readonly id: string;
  /** The row's whole outbox after the write, by rising sequence. */
  readonly outbox: readonly EventEnvelope[];
}

/** Tells the relay, in this process, that a row carries events. */
export type Bell = (row: RecordedRow) => void;

/**
 * What a transaction has recorded so far: a bell must not ring before the commit, and an event handler's row lists the
 * events that it caused.
 */
export class SessionJournal {
  readonly #rows = new WeakMap<ClientSession, RecordedRow[]>();
  readonly #events = new WeakMap<ClientSession, { readonly id: string; readonly cause: string | undefined }[]>();

  /** Forgets an attempt of a transaction that is about to be made anew. */
  begin(session: ClientSession): void {
    this.#rows.set(session, []);
    this.#events.set(session, []);
  }

  /** Notes a write of the transaction. */
  note(session: ClientSession, row: RecordedRow, eventId: string): void {
    const rows = this.#rows.get(session);
    const events = this.#events.get(session);
    if (rows === undefined || events === undefined) {
      throw new TypeError('record only in sessions of events.transaction(): nobody else tells the relay of the commit');
    }
    rows.push(row);
    events.push({ id: eventId, cause: row.outbox.find(({ id }) => id === eventId)?.causationid });
  }

  /** The ids of the events that the transaction has recorded, in order. */
  eventsOf(session: ClientSession): readonly string[] {
    return (this.#events.get(session) ?? []).map(({ id }) => id);
  }

  /** Those that were recorded because of one event. */
  eventsCausedBy(session: ClientSession, eventId: string): readonly string[] {
    return (this.#events.get(session) ?? []).flatMap(({ id, cause }) => (cause === eventId ? [id] : []));
  }

  /** The rows that the committed transaction has written, in order. */
  rowsOf(session: ClientSession): readonly RecordedRow[] {
    return this.#rows.get(session) ?? [];
  }
}
