import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { BSON, type Db, type Document } from 'mongodb';

import { canonicalJson } from '../idempotency/canonical-json.ts';
import type { Comparison } from './rebuild.model.ts';

/** A document of a projection. */
export type Copy = Document & { readonly _id: string; readonly seq: string };

/** How {@link compareCopies} is wired. */
export interface CompareOptions {
  readonly db: Db;
  /** The collection that is used. */
  readonly live: string;
  readonly rebuilt: string;
  /** Brings the new copy up to date, and shows each document of it as it becomes. */
  readonly follow: (onCopy: (copy: Copy) => void) => Promise<void>;
  /** Takes over what only the copy that is used has. @returns whether it did */
  readonly carry: (copy: Copy) => Promise<boolean>;
  readonly signal: AbortSignal;
}

/** So long a document that neither copy changes is looked at again: either may be behind the other. */
const patienceMs = 10_000;
/** And one that changes all the time. */
const mostMs = 120_000;
const lookEveryMs = 200;
const chunk = 200;
const shownExamples = 10;
/** Revisions that are remembered of each copy. */
const mostKnown = 50_000;

/** The same text for the same document, in whatever order its fields were set. */
const textOf = (copy: Copy): string => canonicalJson(BSON.EJSON.serialize(copy, { relaxed: false }));

const digestOf = (copy: Copy): string => createHash('sha256').update(textOf(copy)).digest('hex');

/** A sum modulo 2^256: the same in whatever order documents come. */
class Checksum {
  #sum = 0n;

  add(copy: Copy): void {
    this.#sum = BigInt.asUintN(256, this.#sum + BigInt(`0x${digestOf(copy)}`));
  }

  get hex(): string {
    return this.#sum.toString(16).padStart(64, '0');
  }
}

/** Compares the copy that is used with one that was built anew, while both are written. */
export const compareCopies = async (options: CompareOptions): Promise<Comparison> => {
  const { db, follow, carry, signal } = options;
  const live = db.collection<Copy>(options.live);
  const rebuilt = db.collection<Copy>(options.rebuilt);
  const sums = { live: new Checksum(), rebuilt: new Checksum() };
  let documents = 0;

  /** What either copy has been at a revision: those of one that is written all the time are never seen at once. */
  const known = { live: new Map<string, string>(), rebuilt: new Map<string, string>() };
  const remember = (side: 'live' | 'rebuilt', copy: Copy): string | undefined => {
    const key = `${copy._id}\n${copy.seq}`;
    if (known[side].size < mostKnown) known[side].set(key, digestOf(copy));
    return known[side === 'live' ? 'rebuilt' : 'live'].get(key);
  };

  const up = () => follow((copy) => void remember('rebuilt', copy));

  const states = new Map<string, { readonly state: string; readonly since: number }>();
  const isStill = (id: string, one: Copy | undefined, other: Copy | undefined): boolean => {
    const state = `${one?.seq ?? ''}/${other?.seq ?? ''}`;
    const before = states.get(id);
    if (before?.state === state) return performance.now() - before.since > patienceMs;
    states.set(id, { state, since: performance.now() });
    return false;
  };

  const settle = (one: Copy | undefined, other: Copy | undefined): void => {
    if (one === undefined && other === undefined) return;
    documents += 1;
    if (one !== undefined) sums.live.add(one);
    if (other !== undefined) sums.rebuilt.add(other);
  };

  const both = async (ids: readonly string[]) => {
    const wanted = { _id: { $in: [...ids] } };
    const [ones, others] = await Promise.all([live.find(wanted).toArray(), rebuilt.find(wanted).toArray()]);
    return {
      ones: new Map(ones.map((each) => [each._id, each])),
      others: new Map(others.map((each) => [each._id, each])),
    };
  };

  /** Either may be behind the other: then it is looked at later. */
  const judge = (one: Copy | undefined, other: Copy | undefined): 'agreed' | 'differs' | 'later' => {
    if (one === undefined || other === undefined) return one === other ? 'agreed' : 'later';
    if (textOf(one) === textOf(other)) return 'agreed';
    if (one.seq === other.seq) return 'differs';
    for (const [side, copy] of [
      ['live', one],
      ['rebuilt', other],
    ] as const) {
      const then = remember(side, copy);
      if (then !== undefined) return then === digestOf(copy) ? 'agreed' : 'differs';
    }
    return 'later';
  };

  /** Looks at documents. @returns those to be looked at again */
  const look = async (ids: readonly string[], differing: string[], last: boolean): Promise<string[]> => {
    const again: string[] = [];
    for (let at = 0; at < ids.length; at += chunk) {
      signal.throwIfAborted();
      const part = ids.slice(at, at + chunk);
      const { ones, others } = await both(part);
      for (const id of part) {
        const one = ones.get(id);
        let other = others.get(id);
        if (one !== undefined && other === undefined && (await carry(one))) other = one;
        const found = judge(one, other);
        if (found === 'later' && !last && !isStill(id, one, other)) again.push(id);
        else {
          if (found !== 'agreed') differing.push(id);
          settle(one, found === 'agreed' ? one : other);
        }
      }
    }
    return again;
  };

  /** Every id of either, in pages; those of the new copy that the other has are passed over. */
  const all = async (differing: string[]): Promise<string[]> => {
    const again: string[] = [];
    for (const [from, besides] of [
      [live, undefined],
      [rebuilt, live],
    ] as const) {
      let ids: string[] = [];
      const page = async (): Promise<void> => {
        const known =
          besides === undefined
            ? []
            : await besides
                .find({ _id: { $in: ids } }, { projection: { _id: 1 } })
                .map(({ _id }) => _id)
                .toArray();
        const seen = new Set(known);
        again.push(
          ...(await look(
            ids.filter((id) => !seen.has(id)),
            differing,
            false,
          )),
        );
        ids = [];
      };
      for await (const { _id } of from.find({}, { projection: { _id: 1 } }).sort({ _id: 1 })) {
        ids.push(_id);
        if (ids.length >= chunk) await page();
      }
      await page();
    }
    return [...new Set(again)];
  };

  await up();
  const differing: string[] = [];
  let open = await all(differing);
  const deadline = performance.now() + mostMs;
  while (open.length > 0) {
    await delay(lookEveryMs, undefined, { signal });
    await up();
    open = await look(open, differing, performance.now() > deadline);
  }
  return {
    documents,
    differing: differing.length,
    examples: differing.slice(0, shownExamples),
    liveChecksum: sums.live.hex,
    rebuiltChecksum: sums.rebuilt.hex,
  };
};
