import assert from 'node:assert/strict';

import { csvLineEnd, csvRow } from '../../exporting/csv.ts';
import type { Asker } from './generate-world.ts';
import type { OpenWorld } from './open-world.ts';
import type { Answer, Found, Json } from './reader-paths.ts';
import { byId, seen } from './reader-paths.ts';

/** Reads each record by its id. */
export async function getEach(
  world: OpenWorld,
  asker: Asker,
  { isCached = false }: { readonly isCached?: boolean } = {},
): Promise<Found['records']> {
  const headers = isCached ? await seen(world) : {};
  const records: Answer[] = [];
  for (const id of world.ids) {
    const { status, body } = await world.call(asker, `GET /v1/data/*/${id}`, { headers });
    if (status === 200) records.push(body as unknown as Answer);
    else assert.equal(status, 404);
  }
  return byId(records);
}

/** The ids that a batch finds where it checks for a revision; its other operation fails, so that it does nothing. */
export async function checkEach(
  world: OpenWorld,
  asker: Asker,
  revisions: ReadonlyMap<string, number>,
): Promise<string[]> {
  const found: string[] = [];
  for (const [id, ifMatch] of revisions) {
    const check = { op: 'check', collection: world.name, id, ifMatch };
    const operations = [check, { op: 'delete', collection: world.name, id: 'rec_none' }];
    const { status, body } = await world.call(asker, 'POST /v1/batch', { body: { operations } });
    assert.equal(status, 404);
    const operation: unknown = body.operation;
    if (operation === 1) found.push(id);
  }
  return found;
}

/** A collection whose records refer to those of a world: to each by one, and to all by another. */
export interface Referring {
  readonly name: string;
  /** The one that refers to all. */
  readonly all: string;
}

/** Makes it. */
export async function makeReferring(world: OpenWorld): Promise<Referring> {
  const name = `${world.name}r`;
  const reference = { reference: { collection: world.name } };
  const properties = { one: { type: 'string' }, many: { type: 'array', items: { type: 'string' } } };
  const body = { schema: { properties }, fields: { one: reference, many: reference }, rules: { read: 'public' } };
  const defined = await world.call('admin', `PUT /v1/collections/${name}`, { body });
  assert.equal(defined.status, 201, defined.text);
  const ids: string[] = [];
  for (const fields of [{ many: world.ids }, ...world.ids.map((one) => ({ one }))]) {
    const made = await world.call('admin', `POST /v1/data/${name}`, { body: fields });
    assert.equal(made.status, 201, made.text);
    ids.push(String(made.body.id));
  }
  return { name, all: ids[0] ?? assert.fail() };
}

/** Reads each record beside what refers to it: from lists, of which the last may be from a cache, and from a single record. */
export async function expandEach(
  world: OpenWorld,
  asker: Asker,
  { name, all }: Referring,
): Promise<readonly Found['records'][]> {
  const listed = async (headers: Record<string, string>): Promise<Found['records']> => {
    const path = `GET /v1/data/${name}?expand=one&limit=200`;
    const { status, body, text } = await world.call(asker, path, { headers });
    assert.equal(status, 200, text);
    const items = body.items as unknown as readonly { readonly _expand: { readonly one: Answer | null } }[];
    return byId(items.flatMap(({ _expand: { one } }) => one ?? []));
  };
  const headers = await seen(world);
  const lists = [await listed({}), await listed(headers), await listed(headers)];
  const { status, body, text } = await world.call(asker, `GET /v1/data/${name}/${all}?expand=many`);
  assert.equal(status, 200, text);
  return [...lists, byId((body._expand as unknown as { readonly many: readonly Answer[] }).many)];
}

/** What the records of a world refer to: by the one reference, and by the other. */
type Referred = ReadonlyMap<string, readonly [project: unknown, ref: unknown]>;

/** What somebody is shown beside each record of what it refers to: where that is read by its id, from a list that may be cached, and by an aggregate. */
export async function referredEach(
  world: OpenWorld,
  asker: Asker,
  records: Found['records'],
): Promise<Readonly<Record<'single' | 'listed' | 'looked up', Referred>>> {
  const projects = new Map<unknown, unknown>();
  for (const id of world.projects.ids) {
    const { status, body } = await world.call(asker, `GET /v1/data/${world.projects.name}/${id}`);
    if (status === 200) projects.set(id, body);
    else assert.equal(status, 404);
  }
  const named = (id: unknown): unknown => projects.get(id) ?? null;
  const single = [...records].map(([id, { project, ref }]) => [id, [named(project), named(ref)]] as const);

  const list = (headers = {}) => world.call(asker, 'GET /v1/data/*?expand=project,ref&limit=200', { headers });
  await list(await seen(world));
  const { body: page } = await list(await seen(world));
  const rows = page.items as unknown as undefined | readonly { readonly id: string; readonly _expand: Json }[];
  const listed = (rows ?? []).map(({ id, _expand: { project, ref } }) => [id, [project, ref]] as const);

  const stages = [
    { limit: 1_000 },
    ...['project', 'ref'].map((reference) => ({ lookup: { reference, as: `${reference}Record` } })),
  ];
  const { body } = await world.call(asker, 'POST /v1/data/*/aggregate', { body: { stages } });
  const items = body.items as unknown as undefined | readonly (Answer & Json)[];
  const lookedUp = (items ?? []).map(({ id, projectRecord, refRecord }) => [id, [projectRecord, refRecord]] as const);
  return { single: new Map(single), listed: new Map(listed), 'looked up': new Map(lookedUp) };
}

/** What an administrator is told that somebody sees: the records, without the fields that they do not see. */
export async function explainEach(world: OpenWorld, asker: Asker, whole: Found['records']): Promise<Found['records']> {
  const { roles, org, id: sub } = world.person(asker) ?? {};
  const who = asker === 'nobody' ? 'anonymous' : { sub, roles, org };
  const records: Answer[] = [];
  for (const [id, record] of whole) {
    const body = { who, collection: world.name, action: 'read', id };
    const explained = await world.call('admin', 'POST /v1/rules/explain', { body });
    assert.equal(explained.status, 200, explained.text);
    const {
      allowed,
      status,
      fields = [],
    } = explained.body as unknown as {
      readonly allowed: boolean;
      readonly status: number;
      readonly fields?: readonly { readonly path: string; readonly holds: boolean }[];
    };
    assert.equal(status, allowed ? 200 : 404);
    if (!allowed) continue;
    const hidden = asker === 'admin' ? [] : fields.filter(({ holds }) => !holds);
    records.push(hidden.reduce((shown, { path }) => without(shown, path.split('.')), record) as Answer);
  }
  return byId(records);
}

function without(record: Json, [name = '', ...rest]: readonly string[]): Json {
  if (!Object.hasOwn(record, name)) return record;
  const { [name]: inner, ...others } = record;
  if (rest.length === 0) return others;
  if (typeof inner !== 'object' || inner === null) return record;
  return { ...others, [name]: without(inner as Json, rest) };
}

/** The export as CSV, row by row. */
export async function csvRows(world: OpenWorld, asker: Asker): Promise<readonly string[]> {
  const { status, text } = await world.call(asker, 'GET /v1/data/*', { headers: { accept: 'text/csv' } });
  return status === 200 ? text.split(csvLineEnd).filter((row) => row !== '') : [];
}

/** The rows that records make under a head. */
export const rowsOf = (head: string, records: Found['records']): readonly string[] => {
  const columns = head.split(',');
  return [...records.values()].map((record) =>
    csvRow(columns.map((column) => record[column])).slice(0, -csvLineEnd.length),
  );
};
