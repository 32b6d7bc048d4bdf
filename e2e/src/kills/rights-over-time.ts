import assert from 'node:assert/strict';
import type { Timestamp } from 'mongodb';
import { eventually } from '../harness/eventually.ts';
import { type Fields, type HistoricChange, withMongodb } from './collection-history.ts';

const withinMs = 60_000;

/** A definition of the collection, and what it means. */
export interface ReadRules {
  /** The rule for reading, as it is sent. */
  readonly read: readonly object[];
  /** That of the field `secret`. */
  readonly secret: readonly object[];
  readonly sees: (fields: Fields, who: Reader) => boolean;
  readonly seesSecret: (fields: Fields, who: Reader) => boolean;
}

/** Somebody, at a time. */
export interface Reader {
  readonly id: string;
  /** The projects of which they are a member. */
  readonly projects: ReadonlySet<string>;
}

const own = { author: { $auth: 'sub' } };
const followed = { project: { $follow: { members: { $auth: 'sub' } } } };
const isOwn = ({ author }: Fields, { id }: Reader): boolean => author === id;
const isFollowed = ({ project }: Fields, { projects }: Reader): boolean => projects.has(String(project));

/** What is published may be read by all. */
export const loose: ReadRules = {
  read: [{ status: 'published' }, own, followed],
  secret: [own],
  sees: (fields, who) => fields.status === 'published' || isOwn(fields, who) || isFollowed(fields, who),
  seesSecret: isOwn,
};

/** One's own, and what a project has that one is a member of. */
export const tight: ReadRules = {
  read: [own, followed],
  secret: [{ n: { $gte: 70 } }],
  sees: (fields, who) => isOwn(fields, who) || isFollowed(fields, who),
  seesSecret: ({ n }) => Number(n) >= 70,
};

/** From when on which rules have held. */
export interface HistoricRules {
  readonly time: Timestamp;
  readonly rules: ReadRules;
}

interface Row {
  readonly event: {
    readonly sequence: string;
    readonly data: { readonly definition: { readonly rules: { readonly read: unknown } } };
  };
}

/** Reads when the definitions of a collection were committed, from MongoDB's own order of commits. @param since - before the first of them */
export const readRulesOverTime = (collection: string, since: Timestamp): Promise<readonly HistoricRules[]> =>
  withMongodb(async (client) => {
    const db = client.db('causeway-data');
    const definitions = db.collection<{ _id: string; name: string; revision: number }>('collections');
    const { _id: id, revision: last } =
      (await definitions.findOne({ name: collection })) ?? assert.fail(`${collection} is not defined`);
    const times = new Map<number, Timestamp>();
    const stream = definitions.watch([{ $match: { 'documentKey._id': id } }], { startAtOperationTime: since });
    try {
      for await (const change of stream) {
        if (change.clusterTime === undefined) continue;
        let revision: number | undefined;
        if (change.operationType === 'update') revision = change.updateDescription.updatedFields?.revision;
        else if (change.operationType === 'insert' || change.operationType === 'replace')
          revision = change.fullDocument.revision;
        if (revision !== undefined && !times.has(revision)) times.set(revision, change.clusterTime);
        if (revision === last) break;
      }
    } finally {
      await stream.close();
    }
    const log = db.collection<Row>('events', { readConcern: { level: 'majority' } });
    return eventually(
      async () => {
        const rows = await log.find({ 'event.data.collectionId': id, 'event.subject': /^collection\// }).toArray();
        assert.equal(rows.length, last, 'definitions that are not in the log');
        return rows
          .map(({ event: { sequence, data } }): HistoricRules => {
            const text = JSON.stringify(data.definition.rules.read);
            const rules = [loose, tight].find(({ read }) => JSON.stringify(read) === text) ?? assert.fail(text);
            return { time: times.get(Number(sequence)) ?? assert.fail(`no commit of revision ${sequence}`), rules };
          })
          .toSorted((a, b) => a.time.compare(b.time));
      },
      { withinMs },
    );
  });

/** Everything that decides who sees what, and when it was committed. */
export interface RightsHistory {
  readonly records: readonly HistoricChange[];
  /** Of the records that the rules follow. */
  readonly projects: readonly HistoricChange[];
  readonly rules: readonly HistoricRules[];
}

/** What one may see of a record. */
export interface Sight {
  readonly isSeen: boolean;
  /** The fields, without what is hidden. */
  readonly shown: Fields;
}

/** What one person may see, at any time. */
export interface RightsOverTime {
  /** What a query finds: revisions by record. */
  found(time: Timestamp, isAdministrator: boolean): ReadonlyMap<string, number>;
  /** What they may see of a record by the rights of a time. */
  look(fields: Fields, time: Timestamp, isAdministrator: boolean): Sight;
}

/** @param isAskedFor - the filter */
export function rightsOverTime(
  { records, projects, rules }: RightsHistory,
  id: string,
  isAskedFor: (fields: Fields) => boolean,
): RightsOverTime {
  const upTo = <T extends { readonly time: Timestamp }>(all: readonly T[], time: Timestamp): readonly T[] =>
    all.filter((each) => each.time.lessThanOrEqual(time));
  const stateAt = (all: readonly HistoricChange[], time: Timestamp): Map<string, HistoricChange> => {
    const state = new Map<string, HistoricChange>();
    for (const change of upTo(all, time)) {
      if (change.fields === undefined) state.delete(change.recordId);
      else state.set(change.recordId, change);
    }
    return state;
  };
  const readerAt = (time: Timestamp): Reader => {
    const isMember = ({ fields }: HistoricChange): boolean =>
      (fields?.members as string[] | undefined)?.includes(id) ?? false;
    const own = [...stateAt(projects, time).values()].filter(isMember);
    return { id, projects: new Set(own.map(({ recordId }) => recordId)) };
  };
  const lookBy = (held: ReadRules | undefined, who: Reader, fields: Fields): Sight => {
    if (held === undefined) return { isSeen: false, shown: {} };
    const { secret: _secret, ...rest } = fields;
    return {
      isSeen: held.sees(fields, who) && isAskedFor(fields),
      shown: held.seesSecret(fields, who) ? fields : rest,
    };
  };
  const look = (fields: Fields, time: Timestamp, isAdministrator: boolean): Sight => {
    if (isAdministrator) return { isSeen: isAskedFor(fields), shown: fields };
    return lookBy(upTo(rules, time).at(-1)?.rules, readerAt(time), fields);
  };
  return {
    look,
    found(time, isAdministrator) {
      const held = upTo(rules, time).at(-1)?.rules;
      const who = readerAt(time);
      const isSeen = ({ fields = {} }: HistoricChange): boolean =>
        isAdministrator ? isAskedFor(fields) : lookBy(held, who, fields).isSeen;
      const seen = [...stateAt(records, time).values()].filter(isSeen);
      return new Map(seen.map(({ recordId, revision }) => [recordId, revision]));
    },
  };
}
