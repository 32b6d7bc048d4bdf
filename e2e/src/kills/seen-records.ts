import assert from 'node:assert/strict';
import { type Answer, call, type CallOptions } from '../harness/client.ts';
import type { StoredRecord } from '../harness/collections.ts';

const patienceMs = 15_000;
/** The revision of a record that has gone: nothing is newer. */
export const gone = Number.POSITIVE_INFINITY;

/** Somebody who reads a collection, remembers what they have seen, and sees nothing older ever after. */
export interface SeenRecords {
  readonly name: string;
  /** Makes a call, and says with it what was seen, where they are somebody who does; undefined where it failed, which it may. */
  readonly send: (method: string, path: string, options?: CallOptions) => Promise<Answer | undefined>;
  /** Reads one record. */
  readonly read: (id: string, at: string | undefined) => Promise<void>;
  /** Reads all there are, which have to be less than a page. */
  readonly list: (at: string | undefined) => Promise<void>;
  /** Takes note of what an answer to one's own write says. */
  readonly note: (id: string, revision: number, how: string) => void;
  /** How many answers they have looked at. */
  readonly looks: () => number;
}

/** How somebody reads. */
export interface SeenRecordsOptions {
  readonly name: string;
  readonly collection: string;
  /** Theirs of now. */
  readonly token: () => string;
  /** Whether each call says with `Causeway-After` what the caller has seen. */
  readonly saysSo: boolean;
}

const later = (a: string | undefined, b: string | undefined): string | undefined => {
  if (a === undefined || b === undefined) return a ?? b;
  const [[s = 0, i = 0], [t = 0, j = 0]] = [a, b].map((each) => each.split('.').map(Number)) as [number[], number[]];
  return s > t || (s === t && i >= j) ? a : b;
};

const revisionOf = (tag: string | undefined): number => Number(/"(\d+)"$/.exec(tag ?? '')?.[1] ?? assert.fail(tag));

/** Begins with nothing seen. */
export function createSeenRecords({ name, collection, token, saysSo }: SeenRecordsOptions): SeenRecords {
  const seen = new Map<string, { readonly revision: number; readonly tag: string | undefined; readonly how: string }>();
  let after: string | undefined;
  let looks = 0;

  const note = (id: string, revision: number, how: string, tag?: string): void => {
    const before = seen.get(id);
    assert.ok(
      before === undefined || before.revision <= revision,
      `${name} had seen ${id} at ${before?.revision} (${before?.how}), and then at ${revision} (${how})`,
    );
    seen.set(id, { revision, tag, how });
    looks += 1;
  };

  const send: SeenRecords['send'] = async (method, path, options = {}) => {
    const headers = { ...options.headers, ...(saysSo && after !== undefined ? { 'causeway-after': after } : {}) };
    try {
      const answer = await call(method, path, {
        ...options,
        token: token(),
        headers,
        signal: AbortSignal.timeout(patienceMs),
      });
      after = later(after, answer.headers['causeway-position']);
      return answer.status >= 500 ? undefined : answer;
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      return undefined;
    }
  };

  return {
    name,
    send,
    note,
    looks: () => looks,
    async read(id, at) {
      const tag = seen.get(id)?.tag;
      const headers = tag === undefined ? {} : { 'if-none-match': tag };
      const answer = await send('GET', `/v1/data/${collection}/${id}`, { at, headers });
      if (answer === undefined) return;
      const how = `a read at ${at ?? 'the platform'}, ${answer.status}`;
      if (answer.status === 404) {
        note(id, gone, how);
        return;
      }
      assert.ok(answer.status === 200 || answer.status === 304, `${how}: ${answer.text}`);
      const own = answer.status === 304 ? tag : answer.headers.etag;
      note(id, revisionOf(own), how, own);
    },
    async list(at) {
      const answer = await send('GET', `/v1/data/${collection}`, { at, query: { limit: '100' } });
      if (answer === undefined) return;
      const how = `a list at ${at ?? 'the platform'}`;
      assert.equal(answer.status, 200, `${how}: ${answer.text}`);
      const { items, nextCursor } = answer.json<{
        readonly items: readonly StoredRecord[];
        readonly nextCursor: string | null;
      }>();
      assert.equal(nextCursor, null, `${how}: all of them are on one page`);
      for (const { id, revision } of items) note(id, revision, how, seen.get(id)?.tag);
      const there = new Set(items.map(({ id }) => id));
      for (const id of seen.keys()) if (!there.has(id)) note(id, gone, how);
    },
  };
}
