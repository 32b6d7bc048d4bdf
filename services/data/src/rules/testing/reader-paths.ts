import assert from 'node:assert/strict';

import { openFeed } from '../../testing/test-feed.ts';
import type { Asker } from './generate-world.ts';
import type { OpenWorld } from './open-world.ts';

/** An object, as it is answered. */
export type Json = Readonly<Record<string, unknown>>;

/** A record as it is answered. */
export type Answer = Json & { readonly id: string; readonly revision: number };

/** What somebody has found by one way: the status of the answer, and the records by id. */
export interface Found {
  readonly status: number;
  readonly records: ReadonlyMap<string, Json>;
}

/** What is asked for; nothing for every record. */
export interface Question {
  readonly filter?: Json | undefined;
  readonly sort?: readonly string[] | undefined;
}

/** A way to read a whole result. */
export type ReaderPath = (world: OpenWorld, asker: Asker, question: Question) => Promise<Found>;

/** Records by their ids, each of which comes once. */
export const byId = (records: readonly Answer[]): Found['records'] => {
  const found = new Map(records.map((each) => [each.id, each]));
  assert.equal(found.size, records.length, 'a record comes twice');
  return found;
};
const ok = (records: readonly Answer[]): Found => ({ status: 200, records: byId(records) });
const refused = (status: number): Found => ({ status, records: new Map() });

const addressOf = ({ filter, sort = [] }: Question, more: Readonly<Record<string, string>> = {}): string =>
  new URLSearchParams({
    ...(filter === undefined ? {} : { filter: JSON.stringify(filter) }),
    ...(sort.length === 0 ? {} : { sort: sort.join(',') }),
    ...more,
  }).toString();

const pageSize = 4;

/** Goes from page to page, by what gives one. */
async function allPages(page: (cursor: string | undefined) => ReturnType<OpenWorld['call']>): Promise<Found> {
  const items: Answer[] = [];
  let cursor: string | undefined;
  do {
    const { status, body } = await page(cursor);
    if (status !== 200) return refused(status);
    items.push(...(body.items as unknown as readonly Answer[]));
    const next: unknown = body.nextCursor;
    cursor = typeof next === 'string' ? next : undefined;
  } while (cursor !== undefined);
  return ok(items);
}

const list: ReaderPath = (world, asker, question) =>
  allPages((cursor) => {
    const more = { limit: String(pageSize), ...(cursor === undefined ? {} : { cursor }) };
    return world.call(asker, `GET /v1/data/*?${addressOf(question, more)}`);
  });

const query: ReaderPath = (world, asker, question) =>
  allPages((cursor) => world.call(asker, 'POST /v1/data/*/query', { body: { ...question, limit: pageSize, cursor } }));

/** Asked twice: the second time there is something to be found in a cache. */
const cachedList: ReaderPath = async (world, asker, question) => {
  const headers = await seen(world);
  const ask = () => world.call(asker, `GET /v1/data/*?${addressOf(question, { limit: '200' })}`, { headers });
  await ask();
  const { status, body } = await ask();
  return status === 200 ? ok(body.items as unknown as readonly Answer[]) : refused(status);
};

/** Says that one has seen what there is, so that caches may answer. */
export async function seen(world: OpenWorld): Promise<Record<string, string>> {
  const { headers } = await world.call('admin', 'GET /v1/collections/*');
  return { 'causeway-after': headers.get('causeway-position') ?? assert.fail('there is no position') };
}

const exportLines: ReaderPath = async (world, asker, question) => {
  const headers = { accept: 'application/x-ndjson' };
  const { status, text } = await world.call(asker, `GET /v1/data/*?${addressOf(question)}`, { headers });
  if (status !== 200) return refused(status);
  const lines = text.split('\n').filter((line) => line !== '');
  return ok(lines.map((line) => JSON.parse(line) as Answer));
};

const snapshot: ReaderPath = async (world, asker, { filter }) => {
  const token = world.person(asker)?.token;
  const options = {
    ...(token === undefined ? {} : { token }),
    ...(filter === undefined ? {} : { filter }),
    snapshot: true,
  };
  const feed = await openFeed(world.replica, world.name, options);
  if (feed.status !== 200) return refused(feed.status);
  await feed.until('the snapshot', () => feed.blocks.some(({ event }) => event === 'ready'));
  feed.close();
  return ok(
    feed.blocks.flatMap(({ event, data }) =>
      event === 'current' ? [(JSON.parse(data ?? '') as { readonly record: Answer }).record] : [],
    ),
  );
};

/** What enters an aggregate, shown as it is. */
const aggregate: ReaderPath = async (world, asker, { filter, sort }) => {
  const match = filter === undefined ? [] : [{ match: filter }];
  const stages = [...match, ...(sort === undefined ? [] : [{ sort }]), { limit: 1_000 }];
  const { status, body } = await world.call(asker, 'POST /v1/data/*/aggregate', { body: { stages } });
  return status === 200 ? ok(body.items as unknown as readonly Answer[]) : refused(status);
};

/** By an administrator, who asks what somebody would be answered. */
const asSomebody: ReaderPath = async (world, asker, question) => {
  const { roles, org, id: sub } = world.person(asker) ?? {};
  const body = { ...question, limit: 200, explain: true, as: { sub, roles, org } };
  const { status, body: page } = await world.call('admin', 'POST /v1/data/*/query', { body });
  return status === 200 ? ok(page.items as unknown as readonly Answer[]) : refused(status);
};

/** Every way to read a whole result as records. */
export const resultPaths: Readonly<Record<string, ReaderPath>> = {
  'list, by cursors': list,
  'query, by cursors': query,
  'list, from caches': cachedList,
  'NDJSON export': exportLines,
  'records of an aggregate': aggregate,
  'snapshot of a feed': snapshot,
  'query as somebody, by an administrator': asSomebody,
};

/** How many there are, as an aggregate puts them together: it gives no row for none. */
export async function aggregatedCount(world: OpenWorld, asker: Asker, { filter }: Question): Promise<unknown> {
  const stages = [{ match: filter ?? {} }, { group: { fields: { n: 'count' } } }];
  const { status, body } = await world.call(asker, 'POST /v1/data/*/aggregate', { body: { stages } });
  if (status !== 200) return status;
  const [row] = body.items as unknown as readonly Json[];
  return row?.n ?? 0;
}

/** How many there are, by whose count. */
export async function count(world: OpenWorld, asker: Asker, { filter }: Question): Promise<unknown> {
  const { status, body } = await world.call(
    asker,
    `GET /v1/data/*?${addressOf({ filter }, { limit: '1', count: 'true' })}`,
  );
  return status === 200 ? body.count : status;
}
