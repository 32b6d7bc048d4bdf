import { Fault, newEventId, type Cause, type EventEnvelope } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { onEvent } from '../consumer/handler.ts';
import { createInbox, type HandledRow } from '../consumer/inbox.ts';
import { createParking } from '../consumer/parking.ts';
import type { Events } from '../events.ts';
import type { RecordedCollection } from '../recording/recorded-collection.ts';
import { draft } from '../recording/recorded-document.ts';
import { eventually, noteEvents, openWorld, testCause, type Note, type TestWorld } from '../testing/test-events.ts';
import type { RedriveScope } from './redrive.model.ts';
import type { Redrives } from './redrives.ts';

interface Lane {
  readonly _id: { readonly handler: string; readonly subject: string };
}

describe('what is parked, where something comes in between', () => {
  let world: TestWorld;
  let events: Events;
  let notes: RecordedCollection<Note>;
  let contracts: ReturnType<typeof noteEvents>;
  let redrives: Redrives;
  /** Texts with which the handlers fail, as long as they are in here. */
  const broken = new Set<string>();
  /** Events that went out, each time. */
  const sent: string[] = [];
  const admin: Cause = { correlationId: newEventId(), principal: { type: 'app_user', id: 'usr_ADMIN' } };

  const failing = (text: string): void => {
    if (broken.has(text)) throw new Fault({ code: 'bad', category: 'unprocessable', title: 'Bad', description: '' });
  };
  const handlers = () => [
    onEvent.transaction({
      name: 'tally',
      on: [contracts.created, contracts.updated],
      handle(event) {
        failing(event.data.text);
        return Promise.resolve();
      },
    }),
    ...(['ordered', 'commutative'] as const).map((order) =>
      onEvent.external({
        name: `mail-${order}`,
        order,
        on: [contracts.echoed],
        async handle(event) {
          failing(event.data.text);
          // Long enough for whoever has not taken the event to begin with it too.
          await new Promise((resolve) => setTimeout(resolve, 20));
          sent.push(`${order} ${event.id}`);
        },
      }),
    ),
  ];
  const create = (id: string, text: string, contract = contracts.created) =>
    notes.create(testCause(), { _id: id, state: { text }, event: draft(contract, { text }) });
  const rename = async (id: string, text: string): Promise<string> => {
    const decision = { state: { text }, event: draft(contracts.updated, { text }) };
    return (await notes.update(testCause(), id, () => decision))?.event?.id ?? assert.fail();
  };
  const rows = () => events.db.collection<HandledRow>('handled');
  const settled = (event: string, status: string, handler = 'tally') =>
    eventually(`${event} ${status}`, async () => {
      const row = await rows().findOne({ _id: { handler, event } });
      return row?.status === status ? row : undefined;
    });
  const ended = (id: string) =>
    eventually(`the end of ${id}`, async () => {
      const redrive = await redrives.find(id);
      return redrive?.status === 'ended' ? redrive : undefined;
    });
  const isFault = (code: string) => (error: unknown) => error instanceof Fault && error.code === code;
  const parked = async (id: string): Promise<EventEnvelope> => {
    broken.add(`bad ${id}`);
    const { event } = await create(id, `bad ${id}`);
    await settled(event.id, 'parked');
    broken.delete(`bad ${id}`);
    return event;
  };
  const laneOf = (id: string) =>
    events.db.collection<Lane>('lanes').findOne({ _id: { handler: 'tally', subject: `note/${id}` } });
  const inboxOf = () => createInbox(events.db, () => new Date());
  /** As a replica leaves it that is killed after its last commit, and before it opens the subject. */
  const takenOut = async (id: string): Promise<EventEnvelope> => {
    const event = await parked(id);
    const claim = { attempts: 2, ordered: true, redrive: 'rdr_KILLED' };
    await events.transaction((session) => inboxOf().claimParked('tally', event, claim, session));
    assert.ok(await laneOf(id), 'the subject is closed');
    return event;
  };

  before(async () => {
    world = await openWorld();
    contracts = noteEvents(world.service);
    events = world.replica({ handlers: handlers() });
    notes = events.collection<Note>('notes', { thing: 'note' });
    await events.start();
    redrives = events.redrives ?? assert.fail('there are handlers');
  });
  after(() => world.end());

  it('is open again after a redrive of all, where the one before died with its last event done', async () => {
    await takenOut('k1');
    const { id: other } = await parked('k2');
    const { redrive } = await redrives.request(admin, { handler: 'tally', eventId: other, scope: 'handler' });
    await ended(redrive.id);
    assert.equal(await laneOf('k1'), null);
    await settled(await rename('k1', 'k1 second'), 'done');
  });

  it('is open again once a discard is asked for that had been made, and then been broken off', async () => {
    const { id } = await parked('k3');
    await rows().updateOne(
      { _id: { handler: 'tally', event: id } },
      { $set: { status: 'discarded' }, $unset: { payload: '', error: '' } },
    );
    assert.ok(await laneOf('k3'));
    await assert.rejects(redrives.discard(admin, { handler: 'tally', eventId: id }, 'Again.'), isFault('not-parked'));
    assert.equal(await laneOf('k3'), null);
    await settled(await rename('k3', 'k3 second'), 'done');
  });

  it('is open again within the hour whatever was broken off, and stays closed where something is parked', async () => {
    await takenOut('k4');
    const waiting = await parked('k5');
    const reaping = world.replica({ handlers: handlers(), reapMs: 60 });
    reaping.collection<Note>('notes', { thing: 'note' });
    // Whichever leads reaps; the first does not, for an hour.
    await events.stop();
    await reaping.start();
    await eventually('an open subject', async () => ((await laneOf('k4')) === null ? true : undefined));
    assert.ok(await laneOf('k5'), 'something is parked');
    await settled(waiting.id, 'parked');
    events = reaping;
    notes = events.collection<Note>('notes', { thing: 'note' });
    redrives = events.redrives ?? assert.fail();
    await settled(await rename('k4', 'k4 second'), 'done');
    await settled(await rename('k5', 'k5 second'), 'parked');
  });

  it('stays discarded where the same bytes come again', async () => {
    const wiring = { db: events.db, now: () => new Date(), transaction: events.transaction };
    const parking = createParking({ ...wiring, inbox: inboxOf() });
    const place = 'causeway.x/0/7';
    const park = () => parking.parkBytes(place, Buffer.from('what?'), { name: 'MalformedEvent', message: 'no event' });
    await park();
    await park();
    await redrives.discard(admin, { handler: '*', eventId: place }, 'It is no event.');
    await park();
    await settled(place, 'discarded', '*');
    // What the inbox has forgotten meanwhile is parked again, and can be given up again.
    await rows().deleteOne({ _id: { handler: '*', event: place } });
    await park();
    await redrives.discard(admin, { handler: '*', eventId: place }, 'Still none.');
    const row = await settled(place, 'discarded', '*');
    assert.equal(row.reason, 'Still none.');
  });

  for (const order of ['ordered', 'commutative'] as const) {
    it(`is redriven once where redrives that overlap are asked for at once: ${order}, and reaching outside`, async () => {
      const handler = `mail-${order}`;
      for (let round = 0; round < 3; round += 1) {
        broken.add('bad mail');
        const { event } = await create(`${order}${round}`, 'bad mail', contracts.echoed);
        await settled(event.id, 'parked', handler);
        await settled(event.id, 'parked', `mail-${order === 'ordered' ? 'commutative' : 'ordered'}`);
        broken.delete('bad mail');
        const scopes: readonly RedriveScope[] = ['handler', 'subject', 'event'];
        const asked = await Promise.allSettled(
          scopes.map((scope) => redrives.request(admin, { handler, eventId: event.id, scope })),
        );
        const begun = asked.flatMap((each) => (each.status === 'fulfilled' ? [each.value.redrive.id] : []));
        for (const id of begun) await ended(id);
        assert.equal(begun.length, 1, 'one of them');
        for (const each of asked)
          if (each.status === 'rejected') assert.ok(isFault('redrive-running')(each.reason), String(each.reason));
        assert.equal(sent.filter((each) => each === `${order} ${event.id}`).length, 1, 'sent once');
      }
    });
  }
});
