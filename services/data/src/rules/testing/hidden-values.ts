import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';

import type { Random } from '../../conditions/testing/random.ts';
import type { Answered } from '../../testing/test-data.ts';
import { openFeed } from '../../testing/test-feed.ts';
import type { TestFeed } from '../../testing/test-feed.ts';
import type { Twins } from './generate-twins.ts';
import { areTwins, generateTwins } from './generate-twins.ts';
import type { OpenWorld } from './open-world.ts';
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

/** One of the twins, with names for ids in the order in which they are met: the same in both. */
interface Twin {
  readonly world: OpenWorld;
  readonly plain: (text: string) => string;
}

function twinOf(world: OpenWorld): Twin {
  const names = new Map<string, string>(world.ids.map((id, index) => [id, `record ${index}`]));
  const nameOf = (id: string): string => {
    const name = names.get(id) ?? `id ${names.size}`;
    names.set(id, name);
    return name;
  };
  return {
    world,
    plain: (text) =>
      text
        .replaceAll(world.name, 'collection')
        .replaceAll(/(?:rec|usr|ses)_[0-9a-z]{20,}/gi, nameOf)
        .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, nameOf)
        .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, 'time')
        // What it is made of is signed, but not hidden: its length may not tell of values either.
        .replaceAll(
          /("nextCursor":"|cursor=)([\w.%-]+)/g,
          (_all, name: string, cursor: string) => `${name}${cursor.length}`,
        ),
  };
}

/**
 * An entity tag without what is another each time: that of a page is a hash of its text, that of a record has the revision before it. Told apart
 * by the hash, for a hash may begin as a revision does.
 */
function plainTag(tag: string, text: string): string {
  if (!tag.startsWith('W/"')) return tag;
  const hash = createHash('sha256').update(text).digest('base64url');
  if (tag === `W/"${hash.slice(0, 22)}"`) return 'of the text';
  const [revision = ''] = tag.slice(3).split('-', 1);
  return tag === `W/"${revision}-${hash.slice(0, 16)}"` ? `${revision} of the text` : 'of something else';
}

/** What is answered, without what is another each time: an entity tag is made of what is answered beside it, or says the revision. */
function plainAnswer({ plain }: Twin, { status, headers, text }: Answered): Readonly<Record<string, unknown>> {
  const shown = ['content-type', 'link', 'cache-control', 'allow', 'retry-after', 'location', 'causeway-event'];
  return {
    status,
    text: plain(text),
    tag: plainTag(headers.get('etag') ?? '', text),
    headers: shown.map((name) => plain(headers.get(name) ?? '')),
  };
}

async function send({ world, plain }: Twin, asker: Twins['asker'], { call, body, type, accept }: TwinRequest) {
  const named = (text: string): string =>
    text.replaceAll(/#(\d+)/g, (_all, index: string) => world.ids[Number(index)] ?? '');
  const json =
    body === undefined ? undefined : named(JSON.stringify(world.filled(body)).replaceAll('"*"', `"${world.name}"`));
  const answer = await world.call(asker, named(call), {
    ...(json === undefined ? {} : { body: json }),
    ...(type === undefined ? {} : { type }),
    ...(accept === undefined ? {} : { headers: { accept } }),
  });
  return plainAnswer({ world, plain }, answer);
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

/** What feeds have told until the rules are others: all that was done before. */
async function toldBy(
  { world, plain }: Twin,
  clock: TestFeed,
  feeds: readonly TestFeed[],
): Promise<readonly unknown[]> {
  const body = { key: 'last' };
  const { body: last } = await world.call('admin', 'POST /v1/data/*', { body });
  await clock.until('the last record', () => clock.told().some(({ recordId }) => recordId === String(last.id)));
  await world.define({}, {});
  const isOver = ({ event, data = '' }: TestFeed['blocks'][number]): boolean =>
    event === 'end' || (event === 'gap' && data.includes('rights'));
  return await Promise.all(
    feeds.map(async ({ status, blocks, until }) => {
      if (status !== 200) return status;
      await until('the end', () => blocks.some(isOver));
      const before = blocks.slice(0, blocks.findIndex(isOver)).filter(({ event }) => event !== undefined);
      return before.map(({ event, data = '' }) => `${String(event)} ${plain(data)}`);
    }),
  );
}

/**
 * Has somebody ask of two worlds, and write in them, that differ in what is hidden from them alone: byte for byte they are answered the
 * same but for times and ids, and their feeds tell the same.
 *
 * @param other - the world of the other records
 * @throws AssertionError
 */
export async function demandNothingTold(world: OpenWorld, other: OpenWorld, given: HiddenCase): Promise<number> {
  if (!areTwins(given)) return 0;
  const { asker, requests, filter } = given;
  const twins = [twinOf(world), twinOf(other)] as const;
  const feeds = await Promise.all(
    twins.map(({ world: own }) => Promise.all([follow(own, asker), follow(own, asker, filter)])),
  );
  const clocks = await Promise.all(twins.map(({ world: own }) => follow(own, 'admin', undefined, false)));
  try {
    for (const request of requests) {
      const [here, there] = await Promise.all([send(twins[0], asker, request), send(twins[1], asker, request)]);
      assert.deepEqual(there, here, `${asker}: ${JSON.stringify(request)}`);
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
