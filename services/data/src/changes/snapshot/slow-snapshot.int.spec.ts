import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import type { Collection } from '../../collections/collection-registry.ts';
import { parseFilter } from '../../queries/asked-query.ts';
import { inParameters } from '../../queries/query-parameters.ts';
import type { SnapshotGround } from '../../testing/snapshot-ground.ts';
import { createNotingWriter, openSnapshotGround } from '../../testing/snapshot-ground.ts';
import { Feed } from '../feed.ts';
import { createSharedSights } from '../shared-sights.ts';
import { createSnapshotPlaces } from './snapshot-places.ts';

const name = 'rows';
const rows = 40;
/** Of a reader who is never so slow that a wait for it ends. */
const rowMs = 50;

describe('a snapshot whose reader takes it slowly, without ever standing still', () => {
  let ground: SnapshotGround;
  let collection: Collection;

  before(async () => {
    ground = await openSnapshotGround();
    const definition = { schema: { properties: { n: { type: 'number' } } }, rules: { read: 'public' } };
    await ground.write(`PUT /v1/collections/${name}`, definition);
    const lines = Array.from({ length: rows }, (_, n) => JSON.stringify({ n })).join('\n');
    await ground.write(`POST /v1/data/${name}`, lines, 'application/x-ndjson');
    collection = await ground.find(name);
  });
  after(() => ground.stop());

  const send = async (boundMs: number | undefined) => {
    const places = createSnapshotPlaces({ limit: 1 });
    const sendSnapshot = ground.sender(places, boundMs);
    const writer = createNotingWriter(() => delay(rowMs));
    const feed = new Feed({
      ...{ collection, token: undefined, filter: parseFilter(undefined, inParameters), writer, snapshots: true },
      caller: { signedIn: false, administrator: false, auth: {} },
      beginCursors: () => 'cursor',
      shared: createSharedSights(),
    });
    const place = await sendSnapshot(feed, { notBefore: undefined, place: undefined });
    // The only place there is, which would be waited for.
    (await places.take(AbortSignal.timeout(1)))();
    return { told: writer.told, place, feed };
  };

  it('is told whole in time', async () => {
    const { told, place, feed } = await send(undefined);
    assert.deepEqual(told, [...Array.from({ length: rows }, () => 'current'), 'ready']);
    assert.notEqual(place, undefined);
    assert.equal(feed.hasEnded(), false);
  });

  it('ends with a gap where the time is up, and gives its place back', async () => {
    const { told, place, feed } = await send(500);
    assert.equal(told.at(-1), 'gap {"reason":"slow"}');
    assert.ok(!told.includes('ready') && told.length < rows, told.join());
    assert.deepEqual([place, feed.hasEnded()], [undefined, true]);
  });
});
