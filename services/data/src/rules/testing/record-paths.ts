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
