import assert from 'node:assert/strict';

import type { Random } from '../../conditions/testing/random.ts';
import { openFeed } from '../../testing/test-feed.ts';
import type { TestFeed } from '../../testing/test-feed.ts';
import { generateFilterOf } from './generate-question.ts';
import type { Asker, GeneratedEntry, GeneratedWorld } from './generate-world.ts';
import { askers, authors, generateEntryFields, generateWorld } from './generate-world.ts';
import { compileQuestion } from './meets-question.ts';
import type { OpenWorld } from './open-world.ts';
import { ofNobody } from './open-world.ts';
import type { Found } from './reader-paths.ts';
import { getEach } from './record-paths.ts';

/** What happens to a world whose feeds are followed. */
export interface FeedsCase {
  readonly world: GeneratedWorld;
  /** What each record is to become, in their order; null where it is deleted, undefined where it stays. */
  readonly changes: readonly (Readonly<Record<string, unknown>> | null | undefined)[];
  readonly created: readonly GeneratedEntry[];
  /** Asked for by a second feed of each. */
  readonly filter: Readonly<Record<string, unknown>>;
}

/** A world, and its changes. */
export function generateFeedsCase(random: Random): FeedsCase {
  const world = generateWorld(random, 10);
  return {
    world,
    changes: world.records.map((_, index) => {
      if (random.chance(15)) return undefined;
      return random.chance(20) ? null : { key: `k${index}`, ...generateEntryFields(random) };
    }),
    created: Array.from({ length: 3 }, (_, index) => ({
      by: random.pick(authors),
      fields: { key: `new${index}`, ...generateEntryFields(random) },
    })),
    filter: generateFilterOf(random, world),
  };
}

interface Following {
  readonly asker: Asker;
  readonly feed: TestFeed;
  readonly filter: FeedsCase['filter'] | undefined;
}

async function followAll(world: OpenWorld, filter: FeedsCase['filter']): Promise<readonly Following[]> {
  const opening = askers.flatMap((asker) =>
    [undefined, filter].map(async (own) => {
      const token = world.person(asker)?.token;
      const options = { ...(token === undefined ? {} : { token }), ...(own === undefined ? {} : { filter: own }) };
      return { asker, filter: own, feed: await openFeed(world.replica, world.name, options) };
    }),
  );
  return await Promise.all(opening);
}

const readAll = async (world: OpenWorld): Promise<ReadonlyMap<Asker, Found['records']>> =>
  new Map(await Promise.all(askers.map(async (asker) => [asker, await getEach(world, asker)] as const)));

/** The ids of those that are new, and of those that are gone. */
interface Done {
  readonly created: ReadonlySet<string>;
  readonly deleted: ReadonlySet<string>;
}

/** Does it, by single calls and by one batch. */
async function change(world: OpenWorld, { changes, created }: FeedsCase): Promise<Done> {
  const deleted = new Set<string>();
  const operations = created.map(({ fields }) => ({
    op: 'create',
    collection: world.name,
    fields: world.filled(fields),
  }));
  for (const [index, fields] of changes.entries()) {
    const id = world.ids[index];
    if (id === undefined || fields === undefined) continue;
    const path = `/v1/data/*/${id}`;
    if (fields === null) deleted.add(id);
    const answer = await (fields === null
      ? world.call('admin', `DELETE ${path}`)
      : world.call('admin', `PUT ${path}`, { body: world.filled(fields) }));
    assert.ok([200, 204, 422].includes(answer.status), answer.text);
  }
  const done = await world.call('admin', 'POST /v1/batch', { body: { operations } });
  assert.equal(done.status, 200, done.text);
  const results = done.body.results as unknown as readonly { readonly id: string }[];
  return { created: new Set(results.map(({ id }) => id)), deleted };
}

/**
 * Has feeds followed while a world changes, and holds what each tells against what its subscriber may read before and after: each
 * record changes once at most.
 *
 * @throws AssertionError
 */
export async function demandFeedsAgree(world: OpenWorld, about: FeedsCase): Promise<number> {
  const filter = world.filled(about.filter);
  const following = await followAll(world, filter);
  try {
    const before = await readAll(world);
    const done = await change(world, about);
    const after = await readAll({ ...world, ids: [...world.ids, ...done.created] });
    const told = (asker: Asker, filter?: FeedsCase['filter']) =>
      expected(before.get(asker) ?? new Map(), after.get(asker) ?? new Map(), done, filter);
    const clock = following.find(({ asker, filter }) => asker === 'admin' && filter === undefined);
    await clock?.feed.count(told('admin')?.size ?? 0);
    // They all have been told by then; what each is told next is that its rule has changed.
    assert.equal((await world.define(ofNobody, {})).status, 200);
    let events = 0;
    for (const { asker, filter: asked, feed } of following) {
      const own = told(asker, asked);
      if (feed.status !== 200) continue;
      await feed.until('the end', () => feed.blocks.some(({ event }) => event === 'gap' || event === 'end'));
      assert.deepEqual(toldBy(feed), own, `${asker}, the feed of ${JSON.stringify(asked)}`);
      events += own?.size ?? 0;
    }
    return events;
  } finally {
    for (const { feed } of following) feed.close();
  }
}

type ToldOf = ReadonlyMap<string, Readonly<Record<string, unknown>>>;

function toldBy(feed: TestFeed): ToldOf {
  const told = feed
    .told()
    .map(({ event, recordId, record, previous }) => [recordId, { event, record, previous }] as const);
  assert.equal(new Map(told).size, told.length, 'a record is told of twice');
  return new Map(told);
}

/** @returns undefined where the filter is none */
function expected(
  before: Found['records'],
  after: Found['records'],
  { created, deleted }: Done,
  filter: FeedsCase['filter'] | undefined,
): ToldOf | undefined {
  const meets = filter === undefined ? () => true : compileQuestion(filter);
  if (meets === undefined) return undefined;
  const told = new Map<string, Readonly<Record<string, unknown>>>();
  for (const id of new Set([...before.keys(), ...after.keys()])) {
    const [previous, record] = [before.get(id), after.get(id)];
    if (previous !== undefined && previous.revision === record?.revision) continue;
    const saw = previous !== undefined && meets(previous);
    const sees = record !== undefined && meets(record);
    if (!saw && !sees) continue;
    const event = sees
      ? (saw && 'updated') || (created.has(id) && 'created') || 'entered'
      : (deleted.has(id) && 'deleted') || 'left';
    told.set(id, { event, record: sees ? record : undefined, previous });
  }
  return told;
}
