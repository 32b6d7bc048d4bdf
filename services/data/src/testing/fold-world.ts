import assert from 'node:assert/strict';

import { ReadConcern } from 'mongodb';
import type { Document } from 'mongodb';

import { recordsCollection } from '../collections/collection.model.ts';
import type { Random } from '../conditions/testing/random.ts';
import type { RecordDocument } from '../records/record.model.ts';
import type { FoldedView } from './fold-feed.ts';
import { foldedProperties, writeFolded } from './fold-writer.ts';
import type { Person, TestData, TestReplica } from './test-data.ts';

/** Who writes, who reads, and where. */
export interface FoldWorldOptions {
  readonly data: TestData;
  readonly replicas: readonly [TestReplica, TestReplica];
  readonly admin: Person;
  readonly ada: Person;
  /** Whether calls may fail with 5xx: what they were to do may or may not have been done. */
  readonly mayFail?: boolean;
}

/** Collections that are written without a pause, and what their query finds at any time. */
export interface FoldWorld {
  /** Defines a collection, by one of two read rules. */
  put(name: string, rule: number): Promise<void>;
  definitionOf(name: string): Promise<string>;
  /** Creates, changes and deletes records, by single calls and by batches, until it is told to stop. */
  write(name: string, random: Random, goesOn: () => boolean): Promise<void>;
  /** Holds what was folded against what ada's query for {@link FoldWorld.filter} finds by a rule, at the times of some 40 of the views. */
  compare(definitionId: string, views: readonly FoldedView[], rule: number, about: string): Promise<void>;
  readonly filter: object;
}

const writes = { create: 'signed-in', update: 'signed-in', delete: 'signed-in' };

/** Makes it. */
export function createFoldWorld({ data, replicas, admin, ada, mayFail = false }: FoldWorldOptions): FoldWorld {
  /** The rules, and what they let ada see of the records with an `n` of 40 or more. */
  const rules: readonly { readonly read: unknown; readonly visible: () => Document }[] = [
    {
      read: [{ status: 'published' }, { author: { $auth: 'sub' } }],
      visible: () => ({ $or: [{ 'fields.status': 'published' }, { 'fields.author': ada.id }] }),
    },
    { read: [{ status: 'draft' }], visible: () => ({ 'fields.status': 'draft' }) },
  ];

  /** What the query finds at the time of a view. */
  const findAt = async (
    definitionId: string,
    visible: Document,
    { time }: FoldedView,
  ): Promise<Map<string, number>> => {
    const readConcern = Object.assign(new ReadConcern('snapshot'), { atClusterTime: time });
    const rows = await data.db
      .collection<RecordDocument>(recordsCollection(definitionId))
      .find({ $and: [visible, { 'fields.n': { $gte: 40 } }] }, { readConcern, projection: { revision: 1 } })
      .toArray();
    return new Map(rows.map(({ _id, revision }) => [_id, revision]));
  };

  return {
    filter: { n: { $gte: 40 } },
    async put(name, rule) {
      const body = { schema: { properties: foldedProperties }, rules: { ...writes, read: rules[rule]?.read } };
      const answer = await replicas[0].call(`PUT /v1/collections/${name}`, { body, token: admin.token });
      assert.ok([200, 201].includes(answer.status), answer.text);
    },
    definitionOf: async (name) => String((await data.db.collection('collections').findOne({ name }))?._id),
    write: (name, random, goesOn) =>
      writeFolded(name, {
        ...{ random, goesOn, mayFail },
        authors: [ada.id, 'somebody'],
        call: (call, options) => random.pick(replicas).call(call, { ...options, token: admin.token }),
      }),
    async compare(definitionId, views, rule, about) {
      const visible = rules[rule]?.visible() ?? assert.fail();
      // Each of them would take a while; the last is always among them.
      const step = Math.max(1, Math.floor(views.length / 40));
      for (const view of views.filter((_, index) => (views.length - 1 - index) % step === 0)) {
        const found = await findAt(definitionId, visible, view);
        const sorted = (map: ReadonlyMap<string, number>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
        assert.deepEqual(sorted(view.revisions), sorted(found), `${about}, at ${view.time.t}.${view.time.i}`);
      }
    },
  };
}
