import type { ReadAfterOptions } from '@causeway/events';
import { MongoServerError } from 'mongodb';
import type { ClientSession, Db, ReadConcern } from 'mongodb';

import type { Collection } from '../../collections/collection-registry.ts';
import { recordsCollection } from '../../collections/collection.model.ts';
import { bindCondition } from '../../conditions/bind-condition.ts';
import type { FollowedIds } from '../../conditions/bind-condition.ts';
import { compileFilter } from '../../conditions/compile-filter.ts';
import type { Condition, FollowOperand, Value } from '../../conditions/condition.ts';
import type { LookTime } from '../../pacing/look-time.ts';
import type { RecordDocument } from '../../records/record.model.ts';
import { idsAt } from '../../references/referenced-ids.ts';
import { isNever } from '../guard-condition.ts';
import type { Caller } from '../rule.ts';
import { compileMeets } from '../rule.ts';
import { ruleTooCostly } from '../rules.errors.ts';
import type { FollowedReference, Follows } from './follows.ts';
import { targetOf } from './follows.ts';

/** A collection, as far as its rules follow references. */
export type Following = Pick<Collection, 'id' | 'follows'> & {
  readonly pending?: { readonly follows: Follows } | undefined;
};

/** How to read: at a time, in a session, or as ever. */
export interface FollowReading extends Omit<ReadAfterOptions, 'readConcern'> {
  /** That of the answer which it is a part of; where there is none, MongoDB may look 5 s for each reference. */
  readonly time?: LookTime | undefined;
  readonly readConcern?: ReadConcern | NonNullable<ReadAfterOptions['readConcern']>;
}

/** Records that one reference may lead to, where all of them have to be known. */
export const mostFollowed = 10_000;

/** How long MongoDB may look for them. */
const followMs = 5_000;

/** MaxTimeMSExpired: https://www.mongodb.com/docs/manual/reference/error-codes/ */
const timeIsUpCode = 50;

/** Whether what somebody reads is decided by where references lead. */
export const isFollowing = ({ follows }: Pick<Following, 'follows'>, { administrator }: Caller): boolean =>
  follows.read.length > 0 && !administrator;

/**
 * Looks where all references lead that the rule for reading follows, for whoever asks for more than one record.
 *
 * @returns the caller, of whom that is known
 * @throws Fault `rule-too-costly` where that is more than 10,000 records; what MongoDB says, or OutOfTime, where the time of an answer is up
 */
export async function followAll(
  db: Db,
  collection: Following,
  caller: Caller,
  read: FollowReading = {},
): Promise<Caller> {
  if (!isFollowing(collection, caller)) return caller;
  const followed = new Map<FollowOperand, readonly string[]>();
  for (const follow of collection.follows.read) {
    const ids = await find(db, targetOf(follow, collection), conditionFor(follow, caller), read);
    if (ids.length > mostFollowed) throw tooMany();
    followed.set(follow.operand, ids);
  }
  return { ...caller, followed };
}

/** Records that are there otherwise than MongoDB has them, as a batch has left them so far; null for one that is gone. */
export type AsLeft = (target: string, id: string) => RecordDocument | null | undefined;

/** How to look from records that are at hand. */
export interface FollowFrom {
  /** For reading alone; for everything where nothing is said. */
  readonly only?: 'read';
  readonly read?: FollowReading;
  readonly session?: ClientSession | undefined;
  readonly asLeft?: AsLeft | undefined;
}

/**
 * Looks where the references of some records lead that rules follow, those of the definition that is about to come as well: nothing is said of
 * other records.
 *
 * @param records - as they are, and as they are to be
 * @returns the caller, of whom that is known
 * @throws Fault `rule-too-costly`
 */
export async function followFrom(
  db: Db,
  collection: Following,
  caller: Caller,
  records: readonly { readonly fields: unknown }[],
  { only, read = {}, session, asLeft }: FollowFrom = {},
): Promise<Caller> {
  const { follows, pending } = collection;
  const own = only === 'read' ? follows.read : [...follows.all, ...(pending?.follows.all ?? [])];
  if (own.length === 0 || caller.administrator) return caller;
  const followed = new Map<FollowOperand, readonly string[]>();
  for (const follow of own) {
    const named = new Set(records.flatMap(({ fields }) => idsAt(fields, follow.segments).map(({ id }) => id)));
    const reading = session === undefined ? read : { session };
    followed.set(
      follow.operand,
      await findNamed(db, targetOf(follow, collection), conditionFor(follow, caller), [...named], reading, asLeft),
    );
  }
  return { ...caller, followed };
}

/** Looks where the references of records lead: {@link followFrom} for all rules. */
export type Follow = (
  collection: Following,
  caller: Caller,
  records: readonly { readonly fields: unknown }[],
) => Promise<Caller>;

/** Makes the {@link Follow} of one write, in its transaction where it has one. */
export const createFollow =
  (db: Db, how: Pick<FollowFrom, 'session' | 'asLeft'>): Follow =>
  (collection, caller, records) =>
    followFrom(db, collection, caller, records, how);

/** What a caller is told by a set of records, as a feed knows it. */
export const followedBy = (
  follows: readonly FollowedReference[],
  idsOf: (follow: FollowedReference) => readonly string[],
): FollowedIds => new Map(follows.map((follow) => [follow.operand, idsOf(follow)]));

/** What a followed record has to meet. */
export const conditionFor = ({ operand }: FollowedReference, { auth }: Caller): Condition<Value> =>
  bindCondition(operand.condition, { auth });

/** @throws Fault `rule-too-costly` */
async function findNamed(
  db: Db,
  target: string,
  condition: Condition<Value>,
  named: readonly string[],
  read: FollowReading,
  asLeft: AsLeft = () => undefined,
): Promise<readonly string[]> {
  const unknown = named.filter((id) => asLeft(target, id) === undefined);
  const known = named.flatMap((id) => asLeft(target, id) ?? []).filter(compileMeets(condition));
  const found = unknown.length === 0 ? [] : await find(db, target, condition, read, unknown);
  return [...found, ...known.map(({ _id }) => _id)];
}

/** @param among - the ids to look for; undefined for all, up to one more than there may be */
async function find(
  db: Db,
  target: string,
  condition: Condition<Value>,
  read: FollowReading,
  among?: readonly string[],
): Promise<readonly string[]> {
  if (isNever(condition)) return [];
  const { time, ...options } = read;
  time?.demand();
  const filter = compileFilter(condition);
  const rows = db
    .collection<RecordDocument>(recordsCollection(target))
    .find(among === undefined ? filter : { $and: [{ _id: { $in: [...among] } }, filter] }, {
      projection: { _id: 1 },
      maxTimeMS: time?.leftMs() ?? followMs,
      ...(among === undefined ? { limit: mostFollowed + 1 } : {}),
      ...options,
    });
  try {
    return (await rows.toArray()).map(({ _id }) => _id);
  } catch (error) {
    const isOwn = time === undefined && error instanceof MongoServerError && error.code === timeIsUpCode;
    if (!isOwn) throw error;
    throw ruleTooCostly({ detail: 'The records that a rule follows are not found in time.', cause: error });
  }
}

const tooMany = (): Error =>
  ruleTooCostly({ detail: `A rule follows references to more than ${mostFollowed} records.` });
