import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import { parseFilter } from '../../queries/asked-query.ts';
import { inParameters } from '../../queries/query-parameters.ts';
import type { SnapshotGround } from '../../testing/snapshot-ground.ts';
import { createNotingWriter, openSnapshotGround } from '../../testing/snapshot-ground.ts';
import { Feed } from '../feed.ts';
import { createSharedSights } from '../shared-sights.ts';

describe('a snapshot under a definition of which its process has yet to hear', () => {
  let ground: SnapshotGround;

  before(async () => {
    ground = await openSnapshotGround();
  });
  after(() => ground.stop());

  it('opens what is encrypted since then', async () => {
    const name = `c${randomUUID().slice(0, 8)}`;
    const open = { schema: { properties: { secret: { type: 'string' } } }, rules: { read: 'public' } };
    await ground.write(`PUT /v1/collections/${name}`, open);
    const collection = await ground.find(name);
    await ground.write(`PUT /v1/collections/${name}`, { ...open, fields: { secret: { encrypted: true } } });
    await ground.write(`POST /v1/data/${name}`, { secret: 'opened' });
    assert.equal((await ground.find(name)).revision, 1, 'it has not heard of the second');
    const writer = createNotingWriter(() => Promise.resolve());
    const feed = new Feed({
      ...{ collection, token: undefined, filter: parseFilter(undefined, inParameters), writer, snapshots: true },
      caller: { signedIn: true, administrator: true, auth: {} },
      beginCursors: () => 'cursor',
      shared: createSharedSights(),
    });
    const places = { take: () => assert.fail() };
    await ground.sender(places)(feed, { notBefore: undefined, place: () => undefined });
    const records = writer.texts.flatMap((text) => (JSON.parse(text) as { record?: { secret?: string } }).record ?? []);
    assert.deepEqual(
      records.map(({ secret }) => secret),
      ['opened'],
    );
  });
});
