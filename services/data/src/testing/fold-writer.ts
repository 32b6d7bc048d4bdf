import assert from 'node:assert/strict';

import type { Random } from '../conditions/testing/random.ts';
import type { TestCall } from './test-data.ts';

/** What its records hold. */
export const foldedProperties = {
  status: { enum: ['draft', 'published'] },
  author: { type: 'string' },
  n: { type: 'number' },
} as const;

/** An answer, as far as a writer looks at it. */
export interface WriteAnswer {
  readonly status: number;
  readonly text: string;
  readonly body: Record<string, unknown>;
}

/** How to write. */
export interface FoldWriterOptions {
  /** Makes a call, such as `POST /v1/batch`, as somebody who may do everything. */
  readonly call: (call: string, options: TestCall) => Promise<WriteAnswer>;
  readonly random: Random;
  /** Whose records they are: the first one's are 30 in 100. */
  readonly authors: readonly [string, string];
  /** What else they hold, of each anew. */
  readonly more?: () => object;
  /** Whether calls may fail with 5xx: what they were to do may or may not have been done. */
  readonly mayFail: boolean;
  readonly goesOn: () => boolean;
  /** Hears of each call that was answered with success. */
  readonly done?: () => void;
}

const type = 'application/merge-patch+json';
const pauseMs = 50;

/** Creates, changes and deletes records of a collection, by single calls and by batches, until it is told to stop. */
export async function writeFolded(name: string, options: FoldWriterOptions): Promise<void> {
  const { call, random, authors, more, mayFail, goesOn, done } = options;
  const own: string[] = [];
  const fields = () => ({
    status: random.pick(['draft', 'published']),
    author: random.chance(30) ? authors[0] : authors[1],
    n: random.below(100),
    ...more?.(),
  });
  /** @returns undefined where it failed, which it may */
  const send = async (what: string, status: number, sent: TestCall = {}): Promise<WriteAnswer | undefined> => {
    const answer = await call(what, sent);
    if (mayFail && answer.status >= 500) {
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      return undefined;
    }
    assert.equal(answer.status, status, `${what}: ${answer.text}`);
    done?.();
    return answer;
  };
  const steps = {
    create: async () => {
      const made = await send(`POST /v1/data/${name}`, 201, { body: fields() });
      if (made !== undefined) own.push(String(made.body.id));
    },
    change: (id: string) => send(`PATCH /v1/data/${name}/${id}`, 200, { body: fields(), type }),
    remove: (id: string) => {
      own.splice(own.indexOf(id), 1);
      return send(`DELETE /v1/data/${name}/${id}`, 204);
    },
    batch: async (gone: string) => {
      own.splice(own.indexOf(gone), 1);
      const made = Array.from({ length: 3 }, () => ({ op: 'create', collection: name, fields: fields() }));
      const changed = own.slice(0, 2).map((id) => ({ op: 'update', collection: name, id, merge: fields() }));
      const operations = [...made, ...changed, { op: 'delete', collection: name, id: gone }];
      const answer = await send('POST /v1/batch', 200, { body: { operations } });
      if (answer === undefined) return;
      const results = answer.body.results as { id: string }[];
      own.push(...results.slice(0, 3).map(({ id }) => id));
    },
  };
  while (goesOn()) {
    if (own.length < 4 || random.chance(25)) await steps.create();
    else await random.pick([steps.change, steps.change, steps.remove, steps.batch])(random.pick(own));
  }
}
