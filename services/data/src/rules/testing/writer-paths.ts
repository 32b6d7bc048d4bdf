import assert from 'node:assert/strict';

import { operatorsType } from '../../operators/parse-operators.ts';
import { jsonPatchType } from '../../records/json-patch.ts';
import { mergePatchType } from '../../records/merge-patch.ts';
import type { Answered } from '../../testing/test-data.ts';
import type { Edit } from './edit.ts';
import { asFields, asJsonPatch, asMerge, asOperators, editsOf } from './edit.ts';
import type { Asker } from './generate-world.ts';
import type { OpenWorld } from './open-world.ts';
import type { Json } from './reader-paths.ts';

/** What has become of a write, as far as whoever wrote is told. */
export interface Outcome {
  /** Of the record, whatever the call was about: 200, 201, 204, or that of the fault. */
  readonly status: number;
  /** Of the fault. */
  readonly code?: unknown;
  /** As it is shown, without what differs between copies; absent where a way shows none. */
  readonly record?: Json | undefined;
}

/** A record, and what one may know of it before. */
export interface Target {
  readonly id: string;
  readonly key: string;
  /** Its fields as whoever writes sees them; undefined where they see none of it. */
  readonly seen: Json | undefined;
}

/** A way to change a record. */
export type ChangePath = (world: OpenWorld, asker: Asker, target: Target, edits: readonly Edit[]) => Promise<Outcome>;

/** What is the same of all copies of a record. */
export function common(answer: Json): Json {
  const { id: _id, key: _key, createdAt: _created, updatedAt: _updated, ...rest } = answer;
  return rest;
}

/** The fields of an answer. */
export function fieldsOf(answer: Json): Json {
  const { revision: _revision, createdBy: _creator, updatedBy: _writer, ...fields } = common(answer);
  return { ...fields, key: answer.key };
}

const outcomeOf = ({ status, body }: Answered): Outcome =>
  status < 300 ? { status, ...(status === 204 ? {} : { record: common(body) }) } : { status, code: body.code };

const patch =
  (type: string, bodyOf: (edits: readonly Edit[], seen: Json) => unknown): ChangePath =>
  async (world, asker, { id, seen = {} }, edits) => {
    const body = bodyOf(editsOf(edits, seen), seen);
    return outcomeOf(await world.call(asker, `PATCH /v1/data/*/${id}`, { body, type }));
  };

const inBatch =
  (member: string, bodyOf: (edits: readonly Edit[], seen: Json) => unknown): ChangePath =>
  (world, asker, { id, key, seen = {} }, edits) =>
    batch(world, asker, { op: 'update', id, [member]: bodyOf(editsOf(edits, seen), { ...seen, key }) });

/** An operation on the world's collection, alone in its batch. */
export async function batch(world: OpenWorld, asker: Asker, operation: Json): Promise<Outcome> {
  const operations = [{ ...operation, collection: world.name }];
  const { status, body } = await world.call(asker, 'POST /v1/batch', { body: { operations } });
  if (status !== 200) return { status, code: body.code };
  const [result] = body.results as unknown as readonly { readonly status: number; readonly record?: Json }[];
  assert.ok(result !== undefined);
  return { status: result.status, ...(result.record === undefined ? {} : { record: common(result.record) }) };
}

/** What a call by filter says of the one record that it is about; without one there is none that one may see. */
export async function byFilter(
  world: OpenWorld,
  asker: Asker,
  method: 'PATCH' | 'DELETE',
  { id, body, dryRun }: { readonly id: string; readonly body?: Json; readonly dryRun: boolean },
): Promise<Outcome> {
  const address = new URLSearchParams({ filter: JSON.stringify({ id }), dryRun: String(dryRun) }).toString();
  const options = body === undefined ? {} : { body, type: mergePatchType };
  const answer = await world.call(asker, `${method} /v1/data/*?${address}`, options);
  if (answer.status !== 200) return { status: answer.status, code: answer.body.code };
  const { matched, refused } = answer.body as unknown as {
    readonly matched: number;
    readonly refused: readonly { readonly problem: { readonly status: number; readonly code: string } }[];
  };
  if (matched === 0) return { status: 404, code: 'not-found' };
  const [fault] = refused;
  if (fault !== undefined) return { status: fault.problem.status, code: fault.problem.code };
  return { status: method === 'DELETE' ? 204 : 200 };
}

const merge = (edits: readonly Edit[]): Json => asMerge(edits);

const put: ChangePath = async (world, asker, { id, key, seen = {} }, edits) =>
  outcomeOf(
    await world.call(asker, `PUT /v1/data/*/${id}`, { body: asFields(editsOf(edits, seen), { ...seen, key }) }),
  );

/** Of a record that one does not see it says that its key is taken, or what keeps one from creating it. */
const upsert: ChangePath = async (world, asker, { key, seen }, edits) => {
  const body = asFields(editsOf(edits, seen ?? {}), { ...seen, key });
  const outcome = outcomeOf(await world.call(asker, 'PUT /v1/data/*?by=key', { body }));
  if (seen !== undefined) return outcome;
  assert.ok(outcome.status >= 400, `an upsert of what is not seen: ${outcome.status}`);
  return { status: 404, code: 'not-found' };
};

const patchMatching =
  (dryRun: boolean): ChangePath =>
  (world, asker, { id, seen = {} }, edits) =>
    byFilter(world, asker, 'PATCH', { id, body: asMerge(editsOf(edits, seen)), dryRun });

/** Every way to change a record; the first is what the others are held against. Each has a copy of its own. */
export const changePaths: Readonly<Record<string, ChangePath>> = {
  'merge patch': patch(mergePatchType, merge),
  'JSON patch': patch(jsonPatchType, asJsonPatch),
  operators: patch(operatorsType, asOperators),
  PUT: put,
  upsert,
  'merge in a batch': inBatch('merge', merge),
  'JSON patch in a batch': inBatch('patch', asJsonPatch),
  'operators in a batch': inBatch('operators', asOperators),
  'fields in a batch': inBatch('fields', asFields),
  'by filter, dry': patchMatching(true),
  'by filter': patchMatching(false),
};

/** Every way to delete a record; as {@link changePaths}. */
export const deletePaths: Readonly<Record<string, (world: OpenWorld, asker: Asker, id: string) => Promise<Outcome>>> = {
  DELETE: async (world, asker, id) => outcomeOf(await world.call(asker, `DELETE /v1/data/*/${id}`)),
  'in a batch': (world, asker, id) => batch(world, asker, { op: 'delete', id }),
  'by filter, dry': (world, asker, id) => byFilter(world, asker, 'DELETE', { id, dryRun: true }),
  'by filter': (world, asker, id) => byFilter(world, asker, 'DELETE', { id, dryRun: false }),
};

/** Every way to create a record; as {@link changePaths}. */
export const createPaths: Readonly<Record<string, (world: OpenWorld, asker: Asker, fields: Json) => Promise<Outcome>>> =
  {
    POST: async (world, asker, body) => outcomeOf(await world.call(asker, 'POST /v1/data/*', { body })),
    'in a batch': (world, asker, fields) => batch(world, asker, { op: 'create', fields }),
    upsert: async (world, asker, body) => outcomeOf(await world.call(asker, 'PUT /v1/data/*?by=key', { body })),
    import: async (world, asker, fields) => {
      const options = { body: JSON.stringify(fields), type: 'application/x-ndjson' };
      const { status, body } = await world.call(asker, 'POST /v1/data/*', options);
      if (status !== 200) return { status, code: body.code };
      const [error] = body.errors as unknown as readonly {
        readonly problem: { readonly status: number; readonly code: string };
      }[];
      return error === undefined ? { status: 201 } : { status: error.problem.status, code: error.problem.code };
    },
  };
