import {
  defineEvent,
  Fault,
  isRedacted,
  newEventId,
  redactedSchema,
  topicOf,
  type Cause,
  type EventContract,
} from '@causeway/contracts';
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';

import { onEvent } from '../consumer/handler.ts';
import type { HandledRow } from '../consumer/inbox.ts';
import type { Events } from '../events.ts';
import { fromBinary, toBinary } from '../envelope/binary-mode.ts';
import type { LoggedEvent } from '../log/event-log.ts';
import type { RecordedCollection } from '../recording/recorded-collection.ts';
import { draft } from '../recording/recorded-document.ts';
import { slotOf } from '../relay/slot.ts';
import { timers as timerRows, type TimerDocument } from '../timers/timer.model.ts';
import { eventually, noteEvents, openWorld, type Note, type TestWorld } from '../testing/test-events.ts';

describe('redaction', () => {
  let world: TestWorld;
  let events: Events;
  let notes: RecordedCollection<Note>;
  let contracts: ReturnType<typeof noteEvents>;
  let due: EventContract<{ text: string; tag?: string | undefined }>;
  /** What the handler was given. */
  const handled: string[] = [];
  const broken = new Set<string>();
  const ada = 'usr_ADA';
  const isTimeUp = () => false;

  const by = (id?: string): Cause => ({
    correlationId: newEventId(),
    principal: id === undefined ? { type: 'system' } : { type: 'app_user', id },
  });
  const handlers = () => [
    onEvent.transaction({
      name: 'listen',
      on: [contracts.created, contracts.updated, due],
      handle(event) {
        if (broken.has(event.data.text))
          throw new Fault({ code: 'bad', category: 'unprocessable', title: 'Bad', description: '' });
        handled.push(event.id);
        return Promise.resolve();
      },
    }),
    onEvent.projection({
      name: 'copy',
      on: [contracts.created],
      collection: 'copies',
      project: ({ subject, data }) => ({ _id: subject, set: { text: data.text.toUpperCase() } }),
    }),
  ];
  const create = async (id: string, text: string, cause: Cause, tag?: string) => {
    const more = tag === undefined ? {} : { tag };
    const event = draft(contracts.created, { text, ...more });
    const write = await notes.create(cause, { _id: id, state: { text }, event });
    return write.event;
  };
  const change = async (id: string, text: string, cause: Cause, tag?: string) => {
    const more = tag === undefined ? {} : { tag };
    const event = draft(contracts.updated, { text, ...more });
    const write = await notes.update(cause, id, () => ({ state: { text }, event }));
    return write?.event ?? assert.fail();
  };
  const logged = (id: string): Promise<LoggedEvent> =>
    eventually(`${id} in the log`, async () => (await events.log.collection.findOne({ _id: id })) ?? undefined);
  const rowOf = (event: string, handler = 'listen') =>
    events.db.collection<HandledRow>('handled').findOne({ _id: { handler, event } });
  const settled = (event: string, status: string, handler = 'listen') =>
    eventually(`${event} ${status}`, async () => {
      const row = await rowOf(event, handler);
      return row?.status === status ? row : undefined;
    });

  before(async () => {
    world = await openWorld();
    contracts = noteEvents(world.service);
    due = defineEvent({
      ...{ version: 1, thing: 'timer', description: 'In a test.' },
      type: `${world.service}.reminder.due`,
      data: { text: z.string(), tag: z.string().optional() },
    });
    events = world.replica({ handlers: handlers() });
    notes = events.collection<Note>('notes', { thing: 'note' });
    await events.start();
    await world.follow();
  });
  after(() => world.end());

  it('takes the data of events about a person, and leaves their place among causes', async () => {
    const about = await create('r1', 'secret', by(ada));
    const other = await create('r2', 'plain', by());
    const before = await logged(about.id);
    await logged(other.id);
    const done = await events.redaction.ofSubjects(['note/r1'], { cause: by(), isTimeUp });
    assert.deepEqual(done, { events: 1, parked: 0, more: false });
    const { event } = await logged(about.id);
    const { data, authid, dataschema, ...kept } = event;
    const { data: _data, authid: _authid, dataschema: _schema, ...whole } = before.event;
    assert.deepEqual(kept, whole);
    assert.deepEqual([authid, dataschema], [undefined, redactedSchema]);
    assert.deepEqual(Object.keys(data as object), ['redactedAt']);
    assert.ok(isRedacted(event));
    const { headers, value } = toBinary(event);
    assert.deepEqual(fromBinary(headers, value), event, 'it can be published again from the log');
    assert.deepEqual((await logged(other.id)).event.data, { text: 'plain' });
    const again = await events.redaction.ofSubjects(['note/r1'], { cause: by(), isTimeUp });
    assert.deepEqual(again, { events: 0, parked: 0, more: false });
  });

  it('leaves the data of types that it is told to keep', async () => {
    const { id } = await create('k1', 'only ids', by(ada));
    await logged(id);
    const { events: count } = await events.redaction.ofSubjects(['note/k1'], {
      cause: by(),
      isTimeUp,
      keep: [contracts.created.type],
    });
    assert.equal(count, 0);
    assert.deepEqual((await logged(id)).event.data, { text: 'only ids' });
  });

  it('takes the data of events about things that are forgotten, but of those that something is parked of', async () => {
    broken.add('poisoned');
    const whole = await create('f1', 'secret of one that is over', by(ada));
    const parked = await create('f2', 'poisoned', by(ada));
    await logged(whole.id);
    await settled(parked.id, 'parked');
    const subjects = ['note/f1', 'note/f2'];
    assert.deepEqual(await events.redaction.ofForgotten(subjects, { isTimeUp }), ['note/f1']);
    const { event } = await logged(whole.id);
    assert.deepEqual([isRedacted(event), event.authid], [true, undefined]);
    assert.deepEqual((await logged(parked.id)).event.data, { text: 'poisoned' });
    const row = await rowOf(parked.id);
    assert.deepEqual([row?.status, row?.payload?.data], ['parked', { text: 'poisoned' }]);
    assert.deepEqual(await events.redaction.ofForgotten(['note/f1'], { isTimeUp }), ['note/f1'], 'again, for nothing');
  });

  it('takes who caused an event, and leaves what it says', async () => {
    const own = await create('p1', 'kept', by(ada), ada);
    const others = await create('p2', 'kept', by('usr_BOB'), 'usr_BOB');
    const mention = await change('p1', 'kept too', by('usr_BOB'), ada);
    for (const { id } of [own, others, mention]) await logged(id);
    await events.redaction.ofPrincipal(ada, { isTimeUp, fields: ['tag'] });
    const stripped = (await logged(own.id)).event;
    assert.deepEqual([stripped.authtype, stripped.authid, stripped.data], ['app_user', undefined, { text: 'kept' }]);
    assert.deepEqual((await logged(others.id)).event.data, { text: 'kept', tag: 'usr_BOB' });
    assert.deepEqual((await logged(mention.id)).event.data, { text: 'kept too', tag: ada });
    await events.redaction.ofPrincipal(ada, { isTimeUp, fields: ['tag'], subjects: ['note/p1'] });
    const { authid, data } = (await logged(mention.id)).event;
    assert.deepEqual([authid, data], ['usr_BOB', { text: 'kept too' }]);
  });

  it('goes on where its time was up', async () => {
    const count = 2_300;
    const rows = Array.from({ length: count }, (_, index) => {
      const id = newEventId();
      const event = {
        id,
        type: 'x',
        subject: `busy/${index % 3}`,
        authid: 'usr_BUSY',
        data: { index },
        dataschema: 'x',
      };
      return { _id: id, slot: 1_000, pos: index + 1, at: new Date(), event } as unknown as LoggedEvent;
    });
    await events.log.collection.insertMany(rows);
    const first = await events.redaction.ofPrincipal('usr_BUSY', { isTimeUp: () => true });
    assert.ok(first.more && first.events < count);
    const rest = await events.redaction.ofPrincipal('usr_BUSY', { isTimeUp });
    assert.deepEqual([first.events + rest.events, rest.more], [count, false]);
    assert.equal(await events.log.collection.countDocuments({ 'event.authid': 'usr_BUSY' }), 0);
  });

  it('waits for what is not published yet, whatever time its process took it for, and not for what comes after', async () => {
    // Nobody publishes them: they are put there past the relay, and of no row that a bell names.
    const rows = events.db.collection<{ _id: string; outbox: object[] }>('stuck_notes');
    const stick = async (_id: string, time: number): Promise<void> => {
      const event = { id: newEventId(), time: new Date(time).toISOString(), subject: `note/${_id}` };
      await rows.insertOne({ _id, outbox: [event] });
    };
    const replica = world.replica();
    replica.collection('stuck_notes', { thing: 'note' });
    const isFault = (error: unknown): boolean => error instanceof Fault && error.code === 'unavailable';
    for (const time of [0, Date.now() + 300_000]) {
      await stick('now', time);
      await assert.rejects(replica.redaction.published(), isFault);
      const looked = replica.redaction.published();
      await delay(100);
      await stick('later', time);
      await rows.deleteOne({ _id: 'now' });
      await looked;
      await rows.deleteOne({ _id: 'later' });
    }
    await replica.redaction.published();
  });

  describe('what timers hold of a person', () => {
    const timerOf = (timerId: string) => events.db.collection<TimerDocument>(timerRows).findOne({ _id: timerId });
    const schedule = (text: string, afterMs: number, about?: string) =>
      events.schedule(by(ada), {
        contract: due,
        data: { text, tag: ada },
        afterMs,
        ...(about === undefined ? {} : { about }),
      });
    const told = (timerId: string, type: string): Promise<LoggedEvent> =>
      eventually(`${type} of ${timerId}`, async () => {
        const event = { 'event.subject': `timer/${timerId}`, 'event.type': `${world.service}.${type}` };
        return (await events.log.collection.findOne(event)) ?? undefined;
      });

    it('is never told where it is about them', async () => {
      const { timerId } = await schedule('a secret to come', 3_600_000, 'note/t1');
      const other = await schedule('about somebody else', 3_600_000, 'note/t2');
      await events.redaction.ofSubjects(['note/t1'], { cause: by(), isTimeUp });
      const timer = await timerOf(timerId);
      assert.deepEqual([timer?.status, timer?.data, timer?.cause], ['cancelled', undefined, undefined]);
      const { event } = await told(timerId, 'timer.cancelled');
      assert.deepEqual([event.authtype, event.authid], ['system', undefined]);
      assert.equal((await timerOf(other.timerId))?.status, 'scheduled');
    });

    it('is taken from the log where it was told, and from the parking lot', async () => {
      broken.add('a secret that is parked');
      const [first, second] = [
        await schedule('a secret', 0, 'note/t3'),
        await schedule('a secret that is parked', 0, 'note/t3'),
      ];
      const [open, parked] = [await told(first.timerId, 'reminder.due'), await told(second.timerId, 'reminder.due')];
      await settled(open._id, 'done');
      await settled(parked._id, 'parked');
      await events.redaction.published();
      await events.redaction.ofSubjects(['note/t3'], { cause: by(), isTimeUp });
      for (const { _id } of [open, parked]) assert.ok(isRedacted((await logged(_id)).event));
      const row = await rowOf(parked._id);
      assert.deepEqual([row?.status, row?.payload], ['discarded', undefined]);
    });

    it('comes without their name where they merely asked for it', async () => {
      const { timerId } = await schedule('asked for', 3_600_000);
      await events.redaction.ofPrincipal(ada, { isTimeUp, fields: ['tag'] });
      const timer = await timerOf(timerId);
      assert.deepEqual(
        [timer?.status, timer?.data, timer?.cause?.principal],
        ['scheduled', { text: 'asked for' }, { type: 'app_user' }],
      );
      await events.db.collection(timerRows).updateOne({ _id: timerId as never }, { $set: { dueAt: new Date(0) } });
      const { event } = await told(timerId, 'reminder.due');
      assert.deepEqual([event.authtype, event.authid, event.data], ['app_user', undefined, { text: 'asked for' }]);
    });
  });

  describe('what is parked about a person', () => {
    it('is given up with its payload, and its subject is open again', async () => {
      broken.add('poison');
      const first = await create('q1', 'poison', by(ada));
      const second = await change('q1', 'behind it', by(ada));
      await settled(first.id, 'parked');
      await settled(second.id, 'parked');
      const { parked } = await events.redaction.ofSubjects(['note/q1'], { cause: by(), isTimeUp });
      assert.equal(parked, 2);
      for (const { id } of [first, second]) {
        const row = await rowOf(id);
        assert.deepEqual([row?.status, row?.payload, row?.error], ['discarded', undefined, undefined]);
        assert.match(row?.reason ?? '', /erased/);
      }
      const third = await change('q1', 'goes on', by());
      await settled(third.id, 'done');
    });

    it('keeps its payload without the name where the person merely caused it', async () => {
      broken.add('other poison');
      const { id } = await create('q2', 'other poison', by(ada));
      await settled(id, 'parked');
      await events.redaction.ofPrincipal(ada, { isTimeUp });
      const row = await rowOf(id);
      assert.deepEqual(
        [row?.status, row?.payload?.authid, row?.payload?.data],
        ['parked', undefined, { text: 'other poison' }],
      );
    });
  });

  describe('a redacted event', () => {
    const redacted = async (id: string) => {
      // As the log has it; another handler has not had it yet, since Kafka has lost it.
      const event = {
        ...(await create(id, 'gone', by(ada))),
        dataschema: redactedSchema,
        data: { redactedAt: 'then' },
      };
      return { ...event, id: newEventId() };
    };
    const publish = async (event: Awaited<ReturnType<typeof redacted>>) => {
      const producer = await world.kafka.producer();
      const partition = slotOf(event.subject, 4);
      await producer.send([{ topic: topicOf(world.service), partition, ...toBinary(event) }]);
      await producer.close();
    };

    it('is settled without effect when it is delivered, and never parked', async () => {
      const event = await redacted('d1');
      await publish(event);
      for (const handler of ['listen', 'copy']) {
        const row = await settled(event.id, 'discarded', handler);
        assert.match(row.reason ?? '', /redacted/);
        assert.equal(row.payload, undefined);
      }
      assert.ok(!handled.includes(event.id));
      const effects = await events.effectsOf(event);
      assert.deepEqual(
        effects.map(({ status }) => status),
        ['discarded', 'discarded'],
      );
    });

    it('is settled so even while its subject is parked', async () => {
      broken.add('still poison');
      const first = await create('d2', 'still poison', by(ada));
      await settled(first.id, 'parked');
      const event = { ...first, id: newEventId(), dataschema: redactedSchema, data: { redactedAt: 'then' } };
      await publish(event);
      await settled(event.id, 'discarded');
    });

    it('is settled so by a redrive', async () => {
      broken.add('poison again');
      const { id } = await create('d3', 'poison again', by(ada));
      await settled(id, 'parked');
      // Redacted in the moment between a redrive's look and its claim.
      const to = { 'payload.dataschema': redactedSchema, 'payload.data': { redactedAt: 'then' } };
      await events.db.collection('handled').updateOne({ '_id.event': id }, { $set: to });
      await events.redrives?.request(by('usr_ADMIN'), { handler: 'listen', eventId: id, scope: 'event' });
      const row = await settled(id, 'discarded');
      assert.equal(row.payload, undefined);
      assert.ok(!handled.includes(id));
    });

    it('says of a projection that it has no copy to look for', async () => {
      const event = { ...(await redacted('d4')), id: newEventId() };
      const effects = await events.effectsOf(event);
      const [copy] = effects.filter(({ handler }) => handler === 'copy');
      assert.equal(copy?.status, 'discarded');
    });
  });
});
