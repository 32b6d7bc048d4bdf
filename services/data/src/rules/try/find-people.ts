import { compileSomeAt } from '../../conditions/values-at.ts';
import type { VisibleRecord } from '../../records/record.model.ts';
import { idsAt } from '../../references/referenced-ids.ts';
import type { AsLeft, Following } from '../follow/follow-records.ts';
import { targetOf } from '../follow/follows.ts';
import type { PeoplePaths } from './people-paths.ts';
import { mostCallers } from './asked-trial.ts';

/** People who are told apart; of more it is not known how many there are. */
const mostFound = 10_000;

/** Longer texts are nobody's id. */
const longestId = 256;

/** People, by how often they are named. */
export class FoundPeople {
  readonly #counts = new Map<string, number>();
  readonly #visits: readonly ((document: object) => boolean)[];
  readonly #followed: readonly (readonly [
    follow: Following['follows']['all'][number],
    visits: readonly ((document: object) => boolean)[],
  ])[];
  readonly #collection: Following;

  /**
   * @param paths - where they are named
   * @param collection - with what its rules follow
   */
  constructor(paths: PeoplePaths, collection: Following) {
    const compile = (segments: readonly string[]) =>
      compileSomeAt(segments, 'elements', (value) => {
        this.add(value);
        // So that each value is come by.
        return false;
      });
    this.#visits = paths.own.map(compile);
    this.#collection = collection;
    this.#followed = collection.follows.all.map((follow) => [
      follow,
      (paths.followed.get(follow.operand) ?? []).map(compile),
    ]);
  }

  add(value: unknown): void {
    if (typeof value !== 'string' || value === '' || value.length > longestId) return;
    const count = this.#counts.get(value);
    if (count !== undefined || this.#counts.size < mostFound) this.#counts.set(value, (count ?? 0) + 1);
  }

  /** Those whom a record names, and whom records name that it refers to. */
  addFrom(record: VisibleRecord, asLeft: AsLeft): void {
    for (const visit of this.#visits) visit(record);
    for (const [follow, visits] of this.#followed) {
      if (visits.length === 0) continue;
      for (const { id } of idsAt(record.fields, follow.segments)) {
        const target = asLeft(targetOf(follow, this.#collection), id);
        if (target != null) for (const visit of visits) visit(target);
      }
    }
  }

  /** How many there are. */
  get size(): number {
    return this.#counts.size;
  }

  /** Those who are named most, up to the most that are asked about. */
  get first(): readonly string[] {
    return [...this.#counts]
      .toSorted(([one, often], [other, oftenToo]) => oftenToo - often || (one < other ? -1 : 1))
      .slice(0, mostCallers)
      .map(([id]) => id);
  }
}
