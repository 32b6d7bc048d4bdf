import type { Document } from 'mongodb';

import type { FieldPath } from '../conditions/field-path.ts';
import type { Sort } from '../sorting/sort.ts';
import type { Shown, VisibleRecord } from '../records/record.model.ts';
import { answerRecord, visibleProjection } from '../records/record.model.ts';
import type { RecordQuery } from './asked-query.ts';
import type { RankedRecord } from './rank.ts';
import { rankKey, rankNames } from './rank.ts';

/**
 * What MongoDB is asked to read: the fields that were named, and those of the order, for the cursor.
 *
 * @param fields - undefined for all of them
 * @param expand - references that are followed, named or not
 */
export function projectionFor(
  fields: readonly FieldPath[] | undefined,
  sort: Sort,
  expand: readonly Pick<FieldPath, 'storage'>[] = [],
): Document {
  if (fields === undefined) return visibleProjection;
  const wanted = [...fields, ...sort.map(({ path }) => path), ...expand].map(({ storage }) => storage);
  // MongoDB refuses a path together with a path within it.
  const outermost = wanted.filter((path) => !wanted.some((other) => path.startsWith(`${other}.`)));
  // With what is encrypted of the fields, which is opened where it is shown.
  return Object.fromEntries([...outermost, 'sealed'].map((path) => [path, 1]));
}

/** Names to keep, and names to keep within them; an empty map keeps all. */
interface Kept {
  readonly size: number;
  get(name: string): Kept | undefined;
}

/** Answers with a record as it was asked for, and with its rank where it has one. */
export function answerAsked(
  record: Shown<VisibleRecord>,
  { fields, rank }: Pick<RecordQuery, 'fields' | 'rank'>,
): object {
  const answer = answerProjected(record, fields);
  return rank === undefined ? answer : { ...answer, [rankNames[rank]]: (record as Shown<RankedRecord>)[rankKey] };
}

/** A record, or the part of it that was asked for: always its id, and no more than was named. */
function answerProjected(record: Shown<VisibleRecord>, fields: readonly FieldPath[] | undefined): object {
  if (fields === undefined) return answerRecord(record);
  const paths = [['_id'], ...fields.map(({ segments }) => segments)];
  const { _id: id, fields: own = {}, ...rest } = partOf(record, paths);
  return { id, ...own, ...rest };
}

/** What stands at some paths of a record, and nothing else: of a part that is kept, the rest of the record is not. */
export function partOf<R extends object>(record: Shown<R>, paths: readonly (readonly string[])[]): Shown<Partial<R>> {
  // No names would be all of them.
  if (paths.length === 0) return {} as Shown<Partial<R>>;
  const kept = new Map<string, unknown>();
  for (const path of paths) keep(kept, path);
  return prune(record, kept as Kept) as Shown<Partial<R>>;
}

function keep(kept: Map<string, unknown>, [first, ...rest]: readonly string[]): void {
  if (first === undefined) return;
  const inner = (kept.get(first) ?? new Map()) as Map<string, unknown>;
  kept.set(first, inner);
  keep(inner, rest);
}

/** Through arrays: what each of their elements has, as MongoDB projects. */
function prune(value: unknown, kept: Kept): unknown {
  if (kept.size === 0 || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    return value.filter((element) => typeof element === 'object').map((element: unknown) => prune(element, kept));
  }
  const members = Object.entries(value).flatMap(([name, member]) => {
    const inner = kept.get(name);
    return inner === undefined ? [] : [[name, prune(member, inner)] as const];
  });
  return Object.fromEntries(members);
}
