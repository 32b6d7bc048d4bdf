import assert from 'node:assert/strict';

import type { Random } from '../../conditions/testing/random.ts';
import type { Twin } from './ask-twin.ts';
import { askTwin, twinOf } from './ask-twin.ts';
import { openFeed } from '../../testing/test-feed.ts';
import type { TestFeed } from '../../testing/test-feed.ts';
import type { Twins } from './generate-twins.ts';
import { areTwins, generateTwins } from './generate-twins.ts';
import type { OpenWorld } from './open-world.ts';
import { ofNobody } from './open-world.ts';
import type { TwinRequest } from './twin-requests.ts';
import { generateRequests } from './twin-requests.ts';
import { generateFilterOf } from './generate-question.ts';

/** Twins, and what somebody does in both. */
export interface HiddenCase extends Twins {
  readonly requests: readonly TwinRequest[];
  /** Of a second feed. */
  readonly filter: Readonly<Record<string, unknown>>;
}

/** Twins, and what is asked of them. */
export function generateHiddenCase(random: Random): HiddenCase {
  const twins = generateTwins(random);
  return { ...twins, requests: generateRequests(random, twins), filter: generateFilterOf(random, twins.world) };
}

const follow = (
  world: OpenWorld,
  asker: Twins['asker'] | 'admin',
  filter?: HiddenCase['filter'],
  snapshot = true,
): Promise<TestFeed> => {
  const token = world.person(asker)?.token;
  const own = { ...(token === undefined ? {} : { token }), ...(filter === undefined ? {} : { filter }), snapshot };
  return openFeed(world.replica, world.name, own);
};

/** The id of the record that a feed tells of, as JSON. */
function recordOf({ data = '{}' }: TestFeed['blocks'][number]): string {
  const { id, record } = JSON.parse(data) as { readonly id?: string; readonly record?: { readonly id: string } };
  return JSON.stringify(record?.id ?? id ?? '');
}

/** What feeds have told until the rules are others: all that was done before, of each record in turn. */
async function toldBy(
  { world, plain }: Twin,
  clock: TestFeed,
  feeds: readonly TestFeed[],
): Promise<readonly unknown[]> {
  const body = { key: 'last' };
  const { body: last } = await world.call('admin', 'POST /v1/data/*', { body });
  await clock.until('the last record', () => clock.told().some(({ recordId }) => recordId === String(last.id)));
  await world.define(ofNobody, {});
  const isOver = ({ event, data = '' }: TestFeed['blocks'][number]): boolean =>
    event === 'end' || (event === 'gap' && data.includes('rights'));
  return await Promise.all(
    feeds.map(async ({ status, blocks, until }) => {
      if (status !== 200) return status;
      await until('the end', () => blocks.some(isOver));
      const before = blocks.slice(0, blocks.findIndex(isOver)).filter(({ event }) => event !== undefined);
      const ready = before.findIndex(({ event }) => event === 'ready') + 1;
      // Of what one call changes by a filter, each record is written by itself, in any order.
      const changes = before.slice(ready).map((block) => ({ ...block, of: plain(recordOf(block)) }));
      const byRecord = changes.toSorted((a, b) => (a.of < b.of ? -1 : a.of > b.of ? 1 : 0));
      return [...before.slice(0, ready), ...byRecord].map(({ event, data = '' }) => `${String(event)} ${plain(data)}`);
    }),
  );
}

/** What would be put in order by, or made of, what somebody sees in no record is refused to them, and so is what is not for them. */
function demandRefused(
  { world: { fields } }: HiddenCase,
  { computed = [], isForbidden = false, ...request }: TwinRequest,
  status: number,
): void {
  const isNeverSeen = (path: string): boolean => {
    const { read } = (fields[path] ?? {}) as { readonly read?: unknown };
    return Array.isArray(read) && read.length === 0;
  };
  if (isForbidden || computed.some(isNeverSeen)) {
    assert.ok(status >= 400 && status < 500, `${status} for what is to be refused: ${JSON.stringify(request)}`);
  }
}

/**
 * Has somebody ask of two worlds, and write in them, that differ in what is hidden from them alone: byte for byte they are answered the
 * same but for times and ids, and their feeds tell the same of each record.
 *
 * @param other - the world of the other records
 * @throws AssertionError
 */
export async function demandNothingTold(world: OpenWorld, other: OpenWorld, given: HiddenCase): Promise<number> {
  if (!areTwins(given)) return 0;
  const { asker, requests, filter } = given;
  const twins = [twinOf(world), twinOf(other)] as const;
  const feeds = await Promise.all(
    twins.map(({ world: own }) => Promise.all([follow(own, asker), follow(own, asker, own.filled(filter))])),
  );
  const clocks = await Promise.all(twins.map(({ world: own }) => follow(own, 'admin', undefined, false)));
  try {
    for (const request of requests) {
      const [here, there] = await Promise.all([askTwin(twins[0], asker, request), askTwin(twins[1], asker, request)]);
      assert.deepEqual(there, here, `${asker}: ${JSON.stringify(request)}`);
      demandRefused(given, request, Number(here.status));
      assert.ok(!String(here.tag).includes('else'), `an entity tag of more than is told: ${JSON.stringify(request)}`);
    }
    const [here, there] = await Promise.all(
      twins.map((twin, index) => toldBy(twin, clocks[index] ?? assert.fail(), feeds[index] ?? [])),
    );
    assert.deepEqual(there, here, `${asker}: feeds`);
    return requests.length;
  } finally {
    for (const feed of [...feeds.flat(), ...clocks]) feed.close();
  }
}
