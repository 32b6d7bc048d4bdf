import { Fault, newEventId, type Cause } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, it } from 'node:test';

import { onEvent, type Handler } from '../consumer/handler.ts';
import type { Events } from '../events.ts';
import type { RecordedCollection } from '../recording/recorded-collection.ts';
import { draft } from '../recording/recorded-document.ts';
import { eventually, noteEvents, openWorld, testCause, type Note, type TestWorld } from '../testing/test-events.ts';
import type { RebuildDocument } from './rebuild.model.ts';
import type { Rebuild, Rebuilds } from './rebuilds.ts';

interface Copy {
  readonly _id: string;
  readonly seq: string;
  readonly text?: string;
  readonly deleted?: Date;
}

describe('a rebuild', () => {
  let world: TestWorld;
  let events: Events;
  let notes: RecordedCollection<Note>;
  let contracts: ReturnType<typeof noteEvents>;
  const admin: Cause = { correlationId: newEventId(), principal: { type: 'app_user', id: 'usr_ADMIN' } };
  const ids = Array.from({ length: 20 }, (_, index) => `n${index}`);

  const handlers = (): Handler[] => [
    onEvent.projection({
      name: 'copy',
      on: [contracts.created, contracts.updated, contracts.deleted],
      collection: 'copies',
      project: (event) =>
        'text' in event.data
          ? { _id: event.subject, set: { text: event.data.text } }
          : { _id: event.subject, deleted: true },
    }),
    onEvent.transaction({ name: 'other', on: [contracts.created], handle: () => Promise.resolve() }),
  ];
  const replica = (): Events => {
    const made = world.replica({ handlers: handlers() });
    notes = made.collection<Note>('notes', { thing: 'note' });
    return made;
  };
  const copies = () => world.client.db(world.database).collection<Copy>('copies');
  const create = (id: string) =>
    notes.create(testCause(), {
      _id: id,
      state: { text: `${id} first` },
      event: draft(contracts.created, { text: `${id} first` }),
    });
  const rename = (id: string, text: string) =>
    notes.update(testCause(), id, () => ({ state: { text }, event: draft(contracts.updated, { text }) }));
  /** Every copy is as its note is. */
  const upToDate = async (): Promise<void> => {
    for await (const { _id, text } of notes.native.find()) {
      await eventually(`the copy of ${_id}`, async () =>
        (await copies().findOne({ _id: `note/${_id}` }))?.text === text ? true : undefined,
      );
    }
  };
  const of = (which: Events): Rebuilds => which.rebuilds ?? assert.fail('there are handlers');
  const until = (id: string, status: Rebuild['status']) =>
    eventually(`${id} ${status}`, async () => {
      const rebuild = await of(events).find(id);
      return rebuild?.status === status ? rebuild : undefined;
    });
  const begin = async (): Promise<string> => (await of(events).request(admin, 'copy')).rebuild.id;
  const shadows = async (): Promise<string[]> => {
    const all = await events.db.listCollections({ name: /__rebuild_/ }, { nameOnly: true }).toArray();
    return all.map(({ name }) => name);
  };
  const isFault = (code: string) => (error: unknown) => error instanceof Fault && error.code === code;
  /** Three copies that no event accounts for. */
  const damage = async (): Promise<void> => {
    await copies().updateOne({ _id: 'note/n1' }, { $set: { text: 'damaged' } });
    await copies().deleteOne({ _id: 'note/n2' });
    await copies().insertOne({ _id: 'note/never', seq: '0000000000000001', text: 'never' });
  };

  beforeEach(async () => {
    world = await openWorld();
    contracts = noteEvents(world.service);
    events = replica();
    await copies().createIndex({ text: 1 }, { name: 'by-text', sparse: true }, undefined);
    await events.start();
    await Promise.all(ids.map(create));
    await Promise.all(ids.map((id) => rename(id, `${id} second`)));
    await notes.delete(testCause(), 'n0', () => draft(contracts.deleted, {}));
    await upToDate();
    await eventually('the deletion', async () =>
      (await copies().findOne({ _id: 'note/n0' }))?.deleted === undefined ? undefined : true,
    );
  });
  afterEach(() => world.end());

  it('that agrees is swapped in while others write, and nothing is missing', async () => {
    let writing = true;
    const writer = (async () => {
      for (let round = 0; writing; round += 1) {
        await Promise.all(ids.slice(1, 7).map((id) => rename(id, `${id} round ${round}`)));
        await delay(200);
      }
    })();
    const before = (await events.db.listCollections({ name: 'copies' }).toArray())[0] as { info?: { uuid?: unknown } };
    const id = await begin();
    const end = await until(id, 'swapped');
    await delay(100);
    writing = false;
    await writer;
    assert.deepEqual([end.differing, end.documents], [0, 20]);
    assert.equal(end.liveChecksum, end.rebuiltChecksum);
    assert.match(end.liveChecksum, /^[\da-f]{64}$/);
    await upToDate();
    const after = (await events.db.listCollections({ name: 'copies' }).toArray())[0] as { info?: { uuid?: unknown } };
    assert.notDeepEqual(after.info?.uuid, before.info?.uuid, 'it is another collection');
    assert.deepEqual((await copies().indexes()).map(({ name }) => name).sort(), ['_id_', 'by-text', 'deleted_1']);
    assert.deepEqual(await shadows(), []);
    assert.ok((await copies().findOne({ _id: 'note/n0' }))?.deleted instanceof Date);
  });

  it('that differs waits, and tells where; swapped in on demand, it has what came since', async () => {
    await damage();
    const id = await begin();
    const found = await until(id, 'waiting');
    assert.equal(found.differing, 3);
    assert.deepEqual([...found.examples].sort(), ['note/n1', 'note/n2', 'note/never']);
    assert.notEqual(found.liveChecksum, found.rebuiltChecksum);
    assert.equal((await copies().findOne({ _id: 'note/n1' }))?.text, 'damaged', 'it is as it was');
    await rename('n3', 'since then');
    await upToDateBut('note/n1', 'note/n2');
    const { eventId } = (await of(events).decide(admin, id, 'swap')) ?? assert.fail();
    const end = await until(id, 'swapped');
    assert.equal(end.differing, 3);
    await upToDate();
    assert.equal(await copies().findOne({ _id: 'note/never' }), null);
    await world.follow();
    const told = await eventually('all events', () => {
      const own = world.events().filter(({ subject }) => subject === `rebuild/${id}`);
      return own.length === 4 ? own : undefined;
    });
    const name = `${world.service}.rebuild`;
    assert.deepEqual(
      told.map(({ type }) => type),
      [`${name}.requested`, `${name}.compared`, `${name}.decided`, `${name}.ended`],
    );
    assert.equal(told[2]?.id, eventId);
    for (const each of told) assert.equal(each.authid, 'usr_ADMIN');
  });

  /** All copies but some are as their notes are. */
  const upToDateBut = async (...but: string[]): Promise<void> => {
    for await (const { _id, text } of notes.native.find()) {
      if (but.includes(`note/${_id}`)) continue;
      await eventually(`the copy of ${_id}`, async () =>
        (await copies().findOne({ _id: `note/${_id}` }))?.text === text ? true : undefined,
      );
    }
  };

  it('keeps to the rate that is asked for, and can be given up meanwhile', async () => {
    const { id } = (await of(events).request(admin, 'copy', { ratePerSecond: 2 })).rebuild;
    await eventually('its beginning', async () => {
      const rebuild = await of(events).find(id);
      return rebuild !== undefined && rebuild.seen > 0 ? true : undefined;
    });
    await of(events).decide(admin, id, 'drop');
    const end = await until(id, 'dropped');
    assert.ok(end.seen < 41, `${end.seen} of 41 were read`);
    assert.equal(end.ratePerSecond, 2);
    await eventually('its removal', async () => ((await shadows()).length === 0 ? true : undefined));
  });

  it('that is dropped leaves nothing behind; and is decided once', async () => {
    await damage();
    const id = await begin();
    await until(id, 'waiting');
    await assert.rejects(of(events).request(admin, 'copy'), isFault('rebuild-running'));
    assert.equal((await shadows()).length, 1);
    await of(events).decide(admin, id, 'drop');
    await until(id, 'dropped');
    await eventually('its removal', async () => ((await shadows()).length === 0 ? true : undefined));
    assert.equal((await copies().findOne({ _id: 'note/n1' }))?.text, 'damaged');
    await assert.rejects(of(events).decide(admin, id, 'swap'), isFault('nothing-to-decide'));
    assert.equal(await of(events).decide(admin, 'rbd_none', 'swap'), undefined);
    await assert.rejects(of(events).request(admin, 'nobody'), isFault('unknown-handler'));
    await assert.rejects(of(events).request(admin, 'other'), isFault('no-projection'));
  });

  it('whose replica was killed after the swap goes on from there: what came to the old copy comes to the new one', async () => {
    await damage();
    const id = await begin();
    await until(id, 'waiting');
    // It came after the new copy was fed, and so to the old one alone.
    await rename('n5', 'in between');
    await eventually('the copy of n5', async () =>
      (await copies().findOne({ _id: 'note/n5' }))?.text === 'in between' ? true : undefined,
    );
    const db = world.client.db(world.database);
    const orders = db.collection<RebuildDocument>('rebuilds');
    const { places } = (await orders.findOne({ _id: id })) ?? assert.fail();
    const comparison = { documents: 0, differing: 0, examples: [], liveChecksum: '', rebuiltChecksum: '' };
    const progress = { phase: 'swapping', places, mark: places, seen: 0, carried: 0, comparison };
    const left = { _id: id, owner: 'killed', until: new Date(0), ...progress };
    await db.collection<{ _id: string }>('rebuilding').insertOne(left);
    await db.collection(`copies__rebuild_${id}`).rename('copies', { dropTarget: true });
    assert.notEqual((await copies().findOne({ _id: 'note/n5' }))?.text, 'in between');
    await orders.updateOne({ _id: id }, { $set: { decision: 'swap', waiting: false } });
    await until(id, 'swapped');
    await upToDate();
  });

  it('goes on at another replica; what the logs have forgotten is taken over', async () => {
    const slots = await events.log.collection.distinct('slot');
    for (const slot of slots) await events.log.collection.deleteMany({ slot, pos: { $lte: 3 } });
    const other = replica();
    await other.start();
    const id = await begin();
    await events.stop();
    events = other;
    const end = await until(id, 'swapped');
    assert.equal(end.differing, 0);
    assert.equal(await copies().countDocuments(), 20);
    await upToDate();
  });
});
