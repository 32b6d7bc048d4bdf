import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { type Answer, call } from '../harness/client.ts';
import { createRecord } from '../harness/collections.ts';
import type { Person } from '../harness/people.ts';
import { knownOutcome } from './known-outcome.ts';

/** A batch has 5 s, and whoever finds a record held by another waits for it. */
const patienceMs = 30_000;
const pauseMs = 100;
/** Whoever got no answer does not ask at once again. */
const pauseAfterFailureMs = 250;
/** Fewer say nothing of large batches. */
const fewest = 50;

/** A batch as its writer means it. */
export interface SentBatch {
  /** The title of every record that it creates. */
  readonly mark: string;
  /** With one it is repeated until it is answered; without, it stays unknown whether it was done. */
  readonly key: string | undefined;
  readonly operations: readonly object[];
  /** How many records it creates. */
  readonly creates: number;
  /** The record whose score it raises by one. */
  readonly raises: { readonly collection: string; readonly id: string };
  /** The batch before of which it deletes one record. */
  readonly deletesOf: SentBatch | undefined;
  readonly send: () => Promise<Answer>;
  answer?: Answer;
  /** Calls that got no answer. */
  cutOff: number;
  /** The machine could not do it in the time that a batch has; it is not repeated. */
  isTooSlow: boolean;
}

/** Somebody who sends batches, one after another. */
export interface BatchWriter {
  readonly sent: readonly SentBatch[];
  /** The one that is being sent, and since when, by `performance.now()`. */
  readonly underWay: () => { readonly batch: SentBatch; readonly since: number } | undefined;
  /** How long the last one took that was answered. */
  readonly lastMs: () => number;
  /** Sends no further one; resolves when the last is answered. */
  readonly stop: () => Promise<void>;
}

export interface BatchWriterOptions {
  readonly by: Person;
  /** At least two. */
  readonly collections: readonly string[];
  /** Operations of each; half as many where so many take longer than a batch may. */
  readonly size: number;
  readonly hasKeys: boolean;
}

/** Creates in one collection after the other, two changes of one record, one of a record that stays, and a delete of what the one before made. */
export async function startBatchWriter(options: BatchWriterOptions): Promise<BatchWriter> {
  const { by, collections, hasKeys } = options;
  let { size } = options;
  const { accessToken: token } = by;
  const [first, second] = collections as [string, string];
  const stays = await createRecord(second, token, { title: 'stays', score: 0 });
  const sent: SentBatch[] = [];
  let isStopped = false;
  let underWay: { batch: SentBatch; since: number } | undefined;
  let lastMs = 0;

  const next = (): SentBatch => {
    const mark = randomUUID();
    const key = hasKeys ? randomUUID() : undefined;
    const before = sent.at(-1);
    const lastOfBefore = before?.answer?.json<{ results: { id: string }[] }>().results[0]?.id;
    const around = [
      { op: 'update', collection: first, id: { $id: 'it' }, merge: { score: 1 } },
      { op: 'update', collection: second, id: stays.id, operators: { $inc: { score: 1 } } },
      ...(lastOfBefore === undefined ? [] : [{ op: 'delete', collection: first, id: lastOfBefore }]),
    ];
    const creates = size - around.length;
    const operations = [
      { op: 'create', collection: first, as: 'it', fields: { title: mark, score: 0 } },
      ...Array.from({ length: creates - 1 }, (_, index) => ({
        op: 'create',
        collection: collections[Math.floor((index * collections.length) / creates)],
        fields: { title: mark, score: index },
      })),
      ...around,
    ];
    const send = (): Promise<Answer> =>
      call('POST', '/v1/batch', {
        token,
        json: { operations },
        query: { return: 'minimal' },
        headers: key === undefined ? {} : { 'idempotency-key': key },
        signal: AbortSignal.timeout(patienceMs),
      });
    const deletesOf = lastOfBefore === undefined ? undefined : before;
    return {
      mark,
      key,
      operations,
      creates,
      raises: { collection: second, id: stays.id },
      deletesOf,
      send,
      cutOff: 0,
      isTooSlow: false,
    };
  };

  /** @returns whether it is to be sent again */
  const attempt = async (batch: SentBatch): Promise<boolean> => {
    const since = performance.now();
    underWay = { batch, since };
    const answer = await knownOutcome('a batch', async () => {
      const heard = await batch.send();
      batch.isTooSlow = heard.status === 504 && heard.json().code === 'batch-too-slow';
      return heard;
    });
    underWay = undefined;
    if (answer !== undefined) {
      batch.answer = answer;
      lastMs = performance.now() - since;
    } else if (batch.isTooSlow) size = Math.max(fewest, Math.ceil(size / 2));
    else batch.cutOff += 1;
    await wait(answer === undefined ? pauseAfterFailureMs : pauseMs);
    return answer === undefined && batch.key !== undefined && !batch.isTooSlow;
  };

  const write = async (): Promise<void> => {
    // The last is one that was answered: what came before it is over, whatever was heard of it.
    while (!isStopped || sent.at(-1)?.answer === undefined) {
      const batch = next();
      sent.push(batch);
      while (await attempt(batch));
    }
  };
  const running = write();
  // Whoever stops it hears of it.
  running.catch(() => undefined);
  return {
    sent,
    underWay: () => underWay,
    lastMs: () => lastMs,
    stop: async () => {
      isStopped = true;
      await running;
    },
  };
}
