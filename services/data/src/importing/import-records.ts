import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';

import { faults, newId } from '@causeway/contracts';
import type { Cause, Fault } from '@causeway/contracts';
import type { Events, Idempotency, IdempotentRequest, Persons } from '@causeway/events';

import type { CollectionRegistry } from '../collections/collection-registry.ts';
import { awaitRelay } from '../pacing/await-relay.ts';
import { demandCreatable, maxRecordBytes } from '../records/judge-record.ts';
import { findForWrite, underDefinition } from '../records/under-definition.ts';
import type { Caller } from '../rules/rule.ts';
import { endedImport } from './ended-import.ts';
import type { Batch } from './import-batch.ts';
import { writeBatch } from './import-batch.ts';
import type { ImportWriter } from './import-writer.ts';
import type { createImportLocks, ImportLock } from './import-lock.ts';
import { createLineIds } from './line-ids.ts';
import type { Line } from './read-lines.ts';
import { readLines } from './read-lines.ts';
import type { ImportResult } from './tally.ts';
import { Tally } from './tally.ts';

/** What {@link createImportRecords} is given. */
export interface ImportRecordsDependencies {
  readonly events: Pick<Events, 'db' | 'transaction' | 'backlog'>;
  readonly registry: CollectionRegistry;
  readonly idempotency: Idempotency;
  readonly locks: ReturnType<typeof createImportLocks>;
  readonly persons: Pick<Persons, 'writing'>;
  readonly now: () => Date;
}

/** What is imported. */
export interface ImportRecords {
  readonly collection: string;
  readonly caller: Caller;
  readonly body: AsyncIterable<Buffer>;
  /** The call, where it may be repeated; its body is the stream. */
  readonly request: Omit<IdempotentRequest, 'body'> | undefined;
  /** Shows a line's fault. */
  readonly describe: (fault: Fault) => unknown;
  /** Ends the wait for the relay: whoever sends the lines has gone. */
  readonly signal: AbortSignal;
  /** Ends it too: the process is about to stop. */
  readonly draining: AbortSignal;
}

const batchLines = 500;
const batchBytes = 1_048_576;
/** For so long a batch waits while much is to be published; the gateway waits for longer until the lines behind it are taken. */
const patienceMs = 15_000;
/** For so long lines that have not come are waited for, once the import has ended. */
const leaveMs = 5_000;

/**
 * Stores one record for each line of a stream, in batches, as fast as MongoDB takes them and their events are published: the client is
 * read no faster. At most two batches are held, one that is written and one that arrives, however many lines there are. Good lines stay,
 * whatever becomes of the others.
 *
 * With an `Idempotency-Key` the records' ids follow from it and the lines' numbers, so that an import that broke off may be
 * repeated from its beginning; one that was answered is compared by its hash, and answered again. What ends an import that has begun says
 * how far it has got ({@link endedImport}).
 *
 * @returns the use case; it throws faults `not-found`, `forbidden`, `idempotency-key-reused`, `idempotency-key-in-use`,
 *   `unauthenticated` once whoever imports has been erased, and `unavailable` where what was recorded before is not published in time
 */
export function createImportRecords({ events, registry, idempotency, locks, persons, now }: ImportRecordsDependencies) {
  const { transaction } = events;
  /**
   * An import outlives its token, and so the moment after which an erasure counts on it that nobody writes as this person: it asks before
   * each batch, and has an erasure wait for its end.
   *
   * @throws Fault `unauthenticated` where the person is erased
   */
  const unlessErased = async ({ principal }: Cause, work: () => Promise<void>): Promise<void> => {
    if (principal.id === undefined) return work();
    if (await persons.writing(principal.id, work)) return;
    throw faults.unauthenticated({ detail: 'The account of this token has been erased: the import has ended.' });
  };

  /** @throws Fault `unavailable` */
  const untilPublished = async ({ signal, draining }: ImportRecords): Promise<void> => {
    const until = performance.now() + patienceMs;
    const isTimeUp = (): boolean => performance.now() >= until || draining.aborted;
    if (await awaitRelay(events, { isTimeUp, signal })) return;
    throw faults.unavailable({ message: 'what was recorded before is not published yet', retryAfterS: 5 });
  };

  const writeLines = async (
    command: ImportRecords,
    writer: ImportWriter,
    lock: ImportLock | undefined,
  ): Promise<ImportResult> => {
    const { collection, body } = command;
    const tally = new Tally(command.describe);
    let unsure = 0;
    const write = async (lines: readonly Line[]): Promise<void> => {
      // Not while an erasure waits for the batch.
      await untilPublished(command);
      await lock?.renew();
      const batch: Batch = { lines, outcomes: new Map() };
      await unlessErased(writer.cause, () =>
        underDefinition(registry, collection, (current) => {
          unsure = lines.length;
          return writeBatch(current, batch, writer);
        }),
      );
      for (const [line, outcome] of [...batch.outcomes].sort(([a], [b]) => a - b)) tally.add(line, outcome);
      unsure = 0;
      await lock?.renew();
    };
    // One batch is written while the next one arrives, however slowly: what ends the one ends both.
    let writing = Promise.resolve();
    const batches = inBatches(readLines(body, maxRecordBytes));
    try {
      for (;;) {
        const next = await Promise.race([batches.next(), failureOf(writing)]);
        if (next.done === true) break;
        await writing;
        writing = write(next.value);
      }
      await writing;
      return tally.result();
    } catch (error) {
      // Whoever still sends is heard out, as far as that goes; who does not is not waited for.
      const left = batches.return(undefined).catch(() => undefined);
      await Promise.race([left, wait(leaveMs, undefined, { ref: false })]);
      // Nobody else may begin with the lines of a batch that is still being written, and of it is told what came of it.
      await writing.catch(() => undefined);
      const { lines, created, failed } = tally;
      throw command.signal.aborted ? error : endedImport(error, { lines, created, failed, unsure });
    }
  };

  const runLocked = async (
    command: ImportRecords,
    request: Omit<IdempotentRequest, 'body'>,
    writer: Omit<ImportWriter, 'idOf'>,
    lock: ImportLock,
  ): Promise<{ readonly answer: ImportResult; readonly replayed: boolean }> => {
    const hash = createHash('sha256');
    const body = hashing(command.body, hash);
    const whole = (): IdempotentRequest => ({ ...request, body: { sha256: hash.digest('base64url') } });
    // The key may have served another call, or this one, whose end this lock was not told: then nothing is written.
    if (lock.done || (await idempotency.has(request))) {
      for await (const _chunk of body);
      const answer = await idempotency.find<ImportResult>(whole());
      if (answer !== undefined) return { answer, replayed: true };
      throw faults.unavailable({ message: 'an import is done, but its answer is gone', retryAfterS: 1 });
    }
    const idOf = createLineIds(lock.key, lock.startedAt);
    const result = await writeLines({ ...command, body }, { ...writer, idOf, startedAt: lock.startedAt }, lock);
    return await idempotency.run(whole(), () => Promise.resolve(result));
  };

  return async (
    cause: Cause,
    command: ImportRecords,
  ): Promise<{ readonly answer: ImportResult; readonly replayed: boolean }> => {
    const { collection: name, caller, request } = command;
    const collection = await findForWrite(registry, name);
    if (collection === undefined) throw faults.notFound();
    // Who may create nothing at all need not send everything first.
    demandCreatable(collection, caller);
    const writer = { cause, caller, now, transaction, lookup: { db: events.db, registry } };
    if (request === undefined) {
      const answer = await writeLines(command, { ...writer, idOf: () => newId('rec') }, undefined);
      return { answer, replayed: false };
    }
    const lock = await locks.lock(request, randomUUID());
    let done = lock.done;
    try {
      const outcome = await runLocked(command, request, writer, lock);
      done = true;
      return outcome;
    } finally {
      await lock.release(done);
    }
  };
}

/** Rejects as work does, and does not settle otherwise. Made anew for each wait: whatever is waited for beside it would be kept by one that lasts. */
const failureOf = (work: Promise<unknown>): Promise<never> =>
  new Promise((_resolve, reject) => {
    work.catch(reject);
  });

async function* inBatches(lines: AsyncIterable<Line>): AsyncGenerator<Line[]> {
  let batch: Line[] = [];
  let bytes = 0;
  for await (const line of lines) {
    batch.push(line);
    bytes += line.bytes?.length ?? 0;
    if (batch.length < batchLines && bytes < batchBytes) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
}

async function* hashing(
  chunks: AsyncIterable<Buffer>,
  hash: { update(chunk: Buffer): unknown },
): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
}
