import { newId, redactedSchema } from '@causeway/contracts';
import type { EventEnvelope } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { openTestUser } from '../testing/test-user.ts';
import type { TestUser } from '../testing/test-user.ts';

interface Logged {
  readonly _id: string;
  readonly event: EventEnvelope;
}

describe('somebody who is erased', () => {
  let world: TestUser;

  before(async () => {
    world = await openTestUser();
  });
  after(() => world.stop());

  const eventually = async <T>(look: () => Promise<T | null>): Promise<T> => {
    const deadline = performance.now() + 60_000;
    while (performance.now() < deadline) {
      const found = await look();
      if (found !== null) return found;
      await delay(10);
    }
    return assert.fail('waited in vain');
  };
  const profileOf = (id: string) => world.db.collection<{ _id: string }>('profiles').findOne({ _id: id });
  const told = async (type: string, id: string): Promise<EventEnvelope> => {
    const [event] = await world.published.waitFor(
      (each) => each.type === type && (each.data as { accountId?: string }).accountId === id,
    );
    return event ?? assert.fail();
  };
  const handledBy = (handler: string, { id }: EventEnvelope) =>
    eventually(() =>
      world.db
        .collection<{ _id: unknown; status: string; caused?: string[] }>('handled')
        .findOne({ _id: { handler, event: id }, status: { $in: ['done', 'discarded'] } }),
    );
  const dump = async (): Promise<string> => {
    const texts: string[] = [];
    for (const { name } of await world.db.listCollections().toArray()) {
      for await (const row of world.db.collection(name).find()) texts.push(`${name} ${JSON.stringify(row)}`);
    }
    return texts.join('\n');
  };
  const newPerson = async () => {
    const name = `Ada ${newId('usr')}`;
    const { id, event } = await world.createAccount({ name });
    await eventually(() => profileOf(id));
    return { id, event, name, email: `${id.toLowerCase()}@example.com` };
  };

  it('has no profile any more, and all that this comes to hangs below the request', async () => {
    const { id } = await newPerson();
    const request = await world.requestErasure(id);
    const prepared = await told('user.removal.prepared', id);
    assert.deepEqual(prepared.data, { accountId: id, counts: { profiles: 1 } });
    assert.equal(await profileOf(id), null);
    const [deleted] = await world.published.waitFor(
      ({ type, subject }) => type === 'user.profile.deleted' && subject === `profile/${id}`,
    );
    assert.deepEqual([deleted?.data, deleted?.authid], [{ userId: id }, undefined]);
    assert.equal(prepared.correlationid, request.correlationid);
    const begun = await told('user.removal.begun', id);
    assert.deepEqual((await handledBy('begin-removal', request)).caused, [begun.id]);
    assert.deepEqual((await handledBy('continue-removal', begun)).caused, [prepared.id]);
    const other = newId('usr');
    assert.equal((await world.call(`GET /v1/users/${id}`, { as: other })).status, 404);
    const began = performance.now();
    const own = await world.call('GET /v1/users/me', { as: id });
    assert.deepEqual([own.status, own.body.code], [401, 'unauthenticated']);
    assert.ok(performance.now() - began < 1_900, 'it is not waited for');
    const patch = await world.call('PATCH /v1/users/me', { as: id, body: { bio: 'back' } });
    assert.equal(patch.status, 401);
  });

  it('does not come back by an event of their account that is late or handled again', async () => {
    const { id, event } = await newPerson();
    await world.requestErasure(id);
    await told('user.removal.prepared', id);
    // As if the inbox had forgotten it: FAILURES 14 and 32 at once.
    await world.db.collection('handled').deleteOne({ '_id.event': event.id });
    await world.republish(event);
    await handledBy('create-profile', event);
    assert.equal(await profileOf(id), null);
  });

  it('does not come into being by an event that comes after the erasure’s', async () => {
    const id = newId('usr');
    await world.requestErasure(id);
    const prepared = await told('user.removal.prepared', id);
    assert.deepEqual(prepared.data, { accountId: id, counts: { profiles: 0 } });
    const { event } = await world.createAccount({ id });
    await handledBy('create-profile', event);
    assert.equal(await profileOf(id), null);
  });

  it('is in no collection of the database once it is settled, but for the id', async () => {
    const { id, name, email } = await newPerson();
    await world.call('PATCH /v1/users/me', { as: id, body: { bio: `${name} the countess` } });
    await world.published.waitFor((each) => each.subject === `profile/${id}`, 2);
    assert.match(await dump(), new RegExp(name));
    await world.requestErasure(id);
    await told('user.removal.prepared', id);
    await world.settleErasure(id);
    const completed = await told('user.removal.completed', id);
    const { counts } = completed.data as { counts: Record<string, number> };
    assert.deepEqual(counts, {
      profiles: 1,
      eventsRedacted: 2,
      eventsUnnamed: counts.eventsUnnamed,
      parkedDiscarded: 0,
    });
    const text = await dump();
    assert.ok(!text.includes(name) && !text.includes(email), 'neither name nor address');
    const about = world.db
      .collection<Logged>('events')
      .find({ 'event.subject': `profile/${id}` })
      .sort({ pos: 1 });
    assert.deepEqual(
      (await about.toArray()).map(({ event }) => [event.type, event.dataschema === redactedSchema, event.authid]),
      [
        ['user.profile.created', true, undefined],
        ['user.profile.updated', true, undefined],
        ['user.profile.deleted', false, undefined],
      ],
    );
    assert.equal(await world.db.collection('events').countDocuments({ 'event.authid': id }), 0);
  });

  it('is given up in the parking lot', async () => {
    const { id, event } = await world.createAccount({ name: 'x'.repeat(300) });
    await world.db
      .collection('handled')
      .updateOne(
        { _id: { handler: 'create-profile', event: event.id } },
        { $set: { status: 'parked', subject: event.subject, sequence: event.sequence, payload: event } },
        { upsert: true },
      );
    await world.requestErasure(id);
    await world.settleErasure(id);
    await told('user.removal.completed', id);
    const row = await handledBy('create-profile', event);
    assert.equal(row.status, 'discarded');
    assert.ok(!(await dump()).includes('xxxxx'));
  });

  it('is gone over once more where a call in flight has written after the first pass', async () => {
    const id = newId('usr');
    await world.requestErasure(id);
    await told('user.removal.prepared', id);
    // A write that nothing has held back.
    await world.db
      .collection<{ _id: string }>('profiles')
      .insertOne({ _id: id, name: 'Late', email: 'l@example.com', revision: 1, event: 'x', outbox: [] } as never);
    await world.settleErasure(id);
    const completed = await told('user.removal.completed', id);
    assert.equal((completed.data as { counts: Record<string, number> }).counts.profiles, 1);
    assert.equal(await profileOf(id), null);
    // Told twice, as after a redrive: nothing is done twice.
    await world.settleErasure(id);
    const again = await world.requestErasure(newId('usr'));
    await handledBy('begin-removal', again);
    assert.equal(
      world.published.all.filter((each) => each.subject === `removal/${id}` && each.type === 'user.removal.completed')
        .length,
      1,
    );
  });
});
