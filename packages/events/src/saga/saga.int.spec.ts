import {
  defineEvent,
  fromSequence,
  topicOf,
  toSequence,
  type EventEnvelope,
  type ReadEvent,
} from '@causeway/contracts';
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { z } from 'zod';

import { onEvent } from '../consumer/handler.ts';
import type { HandledRow } from '../consumer/inbox.ts';
import type { Events } from '../events.ts';
import { toBinary } from '../envelope/binary-mode.ts';
import type { RecordedCollection } from '../recording/recorded-collection.ts';
import { draft, type RecordedDocument } from '../recording/recorded-document.ts';
import { slotOf } from '../relay/slot.ts';
import { eventually, openWorld, testCause, type TestWorld } from '../testing/test-events.ts';
import type { TimerDocument } from '../timers/timer.model.ts';
import { defineSaga, type Saga, type SagaDecision, type SagaDocument } from './saga.ts';

/** What one service says of orders and how they are fulfilled, and another one of the steps that it is asked for. */
const contractsOf = (orders: string, works: string) => {
  const order = { orderId: z.string() };
  const step = { ...order, step: z.string() };
  const common = { version: 1, description: 'In a test.' };
  const fulfilment = { ...common, thing: 'fulfilment' };
  const job = { ...common, thing: 'job' };
  return {
    placed: defineEvent({ ...common, thing: 'order', type: `${orders}.order.placed`, data: order }),
    asked: defineEvent({ ...fulfilment, type: `${orders}.step.asked`, data: step }),
    undoing: defineEvent({ ...fulfilment, type: `${orders}.step.undoing`, data: step }),
    completed: defineEvent({ ...fulfilment, type: `${orders}.fulfilment.completed`, data: order }),
    failed: defineEvent({ ...fulfilment, type: `${orders}.fulfilment.failed`, data: order }),
    unanswered: defineEvent({ ...common, thing: 'timer', type: `${orders}.step.unanswered`, data: order }),
    done: defineEvent({ ...job, type: `${works}.job.done`, data: step }),
    refused: defineEvent({ ...job, type: `${works}.job.refused`, data: step }),
    undone: defineEvent({ ...job, type: `${works}.job.undone`, data: step }),
  };
};
type Contracts = ReturnType<typeof contractsOf>;

interface Fulfilment {
  readonly status: 'working' | 'undoing' | 'completed' | 'failed';
  readonly orderId: string;
  /** What is being done or undone. */
  readonly at: string;
  /** What has been done, and is to be undone if a later step fails: last first. */
  readonly done: readonly string[];
}

const plan = ['stock', 'payment', 'shipping'];

/** An order whose name begins so gives a step half a second; any other gives it longer than this test may take. */
const hasty = 'hasty';

const fulfilOrder = (contracts: Contracts) => {
  const { placed, asked, undoing, completed, failed, unanswered, done, refused, undone } = contracts;
  const id = ({ data }: ReadEvent<{ orderId: string }>): string => data.orderId;

  const ask = (orderId: string, at: string, before: readonly string[]): SagaDecision<Fulfilment> => ({
    state: { status: 'working', orderId, at, done: before },
    event: draft(asked, { orderId, step: at }),
    schedule: [{ name: 'answer', data: { orderId }, afterMs: orderId.startsWith(hasty) ? 500 : 120_000 }],
  });
  const undo = ({ orderId, at, done: before }: Fulfilment): SagaDecision<Fulfilment> => {
    const last = before.at(-1);
    return last === undefined
      ? { state: { status: 'failed', orderId, at, done: [] }, event: draft(failed, { orderId }), ends: true }
      : {
          state: { status: 'undoing', orderId, at: last, done: before },
          event: draft(undoing, { orderId, step: last }),
          unschedule: ['answer'],
        };
  };

  return defineSaga<Fulfilment>({
    name: 'fulfil-order',
    collection: 'fulfilments',
    thing: 'fulfilment',
    steps: ({ starts, when, timeout }) => [
      starts(placed, {
        id,
        decide: (state, { data }) => (state === undefined ? ask(data.orderId, 'stock', []) : undefined),
      }),
      when(done, {
        id,
        decide: (state, { data }) => {
          if (state.status !== 'working' || state.at !== data.step) return undefined;
          const all = [...state.done, state.at];
          const next = plan[all.length];
          if (next !== undefined) return ask(state.orderId, next, all);
          const { orderId } = state;
          return {
            state: { ...state, status: 'completed', done: all },
            event: draft(completed, { orderId }),
            ends: true,
          };
        },
      }),
      when(refused, {
        id,
        decide: (state, { data }) => (state.status === 'working' && state.at === data.step ? undo(state) : undefined),
      }),
      // The answer may only be late: what was asked for is undone too.
      timeout('answer', unanswered, (state) =>
        state.status === 'working' ? undo({ ...state, done: [...state.done, state.at] }) : undefined,
      ),
      when(undone, {
        id,
        decide: (state, { data }) =>
          state.status === 'undoing' && state.at === data.step
            ? undo({ ...state, done: state.done.slice(0, -1) })
            : undefined,
      }),
    ],
  });
};

interface Job extends RecordedDocument {
  readonly step: string;
}

describe('a saga over two services', () => {
  let orders: TestWorld;
  let works: TestWorld;
  let contracts: Contracts;
  let first: Events;
  let second: Events;
  let placing: RecordedCollection<RecordedDocument>;
  /** What the other service does about a step of an order, by `<order> <step>`; otherwise it is done. */
  const answers = new Map<string, 'refuses' | 'says nothing'>();

  /** The other service: does what it is asked to, undoes it, and says so. */
  const worker = (): Events => {
    const events: Events = works.replica({
      handlers: [
        onEvent.transaction({
          name: 'work',
          on: [contracts.asked, contracts.undoing],
          async handle(event, { cause, session }) {
            const { orderId, step } = event.data;
            const isUndone = event.type === contracts.undoing.type;
            const answer = isUndone ? undefined : answers.get(`${orderId} ${step}`);
            if (answer === 'says nothing') return;
            const contract = isUndone ? contracts.undone : answer === 'refuses' ? contracts.refused : contracts.done;
            const job = {
              _id: `${orderId}.${step}.${isUndone}`,
              state: { step },
              event: draft(contract, { orderId, step }),
            };
            await jobs.create(cause, job, { session });
          },
        }),
      ],
    });
    const jobs = events.collection<Job>('jobs', { thing: 'job' });
    return events;
  };

  before(async () => {
    orders = await openWorld();
    works = await openWorld();
    contracts = contractsOf(orders.service, works.service);
    const handlers = [fulfilOrder(contracts)];
    first = orders.replica({ handlers });
    second = orders.replica({ handlers });
    // Each replica knows all collections, as those of a service do: whoever leads a slot looks for its events in all of them.
    [placing] = [first, second].map((each) => each.collection('orders', { thing: 'order' })) as [typeof placing];
    await Promise.all([first.start(), worker().start()]);
    await second.start();
    await Promise.all([orders.follow(), works.follow()]);
  });
  after(async () => {
    await orders.end();
    await works.end();
  });

  const place = async (orderId: string): Promise<EventEnvelope> => {
    const creation = { _id: orderId, state: {}, event: draft(contracts.placed, { orderId }) };
    return (await placing.create(testCause(), creation)).event;
  };
  const sagas = () => first.db.collection<SagaDocument<Fulfilment>>('fulfilments');
  const over = (orderId: string): Promise<SagaDocument<Fulfilment>> =>
    eventually(`the end of ${orderId}`, async () => {
      const saga = await sagas().findOne({ _id: orderId });
      return saga?.endedAt === undefined ? undefined : saga;
    });
  /** What an order's saga has recorded, as the world sees it: first occurrences. */
  const told = async (orderId: string): Promise<string[]> => {
    const { revision } = await over(orderId);
    const events = await eventually(`all events of ${orderId}`, () => {
      const all = orders.events().filter(({ subject }) => subject === `fulfilment/${orderId}`);
      const once = [...new Map(all.map((event) => [event.id, event])).values()];
      return once.length >= revision ? once : undefined;
    });
    assert.deepEqual(
      events.map(({ sequence }) => Number(sequence)),
      Array.from({ length: revision }, (_, index) => index + 1),
    );
    return events.map(({ type, data }) => {
      const { step } = data as { readonly step?: string };
      const what =
        type
          .slice(orders.service.length + 1)
          .split('.')
          .at(-1) ?? '';
      return step === undefined ? what : `${what} ${step}`;
    });
  };
  const timersOf = async (orderId: string): Promise<string[]> => {
    const rows = first.db.collection<TimerDocument>('timers').find({ about: `fulfilment/${orderId}` });
    return (await rows.sort({ _id: 1 }).toArray()).map(({ status }) => status);
  };
  const sendAgain = async (world: TestWorld, ...events: readonly EventEnvelope[]): Promise<void> => {
    const producer = await world.kafka.producer();
    for (const event of events) {
      const partition = slotOf(event.subject, 4);
      await producer.send([{ topic: topicOf(world.service), partition, ...toBinary(event) }]);
    }
    await producer.close();
  };
  const settled = (event: string): Promise<HandledRow> =>
    eventually(`${event} is handled`, async () => {
      const row = await first.db.collection<HandledRow>('handled').findOne({ _id: { handler: 'fulfil-order', event } });
      return row?.status === 'done' ? row : undefined;
    });

  it('goes from step to step; the answers come in time, so that no timeout does', async () => {
    await place('good');
    assert.deepEqual(await told('good'), ['asked stock', 'asked payment', 'asked shipping', 'completed']);
    assert.deepEqual(await timersOf('good'), ['cancelled', 'cancelled', 'cancelled']);
    const saga = await over('good');
    assert.deepEqual([saga.state.status, saga.state.done, saga.timers], ['completed', plan, {}]);
  });

  it('waits for an answer for a time, and then undoes what was done', async () => {
    answers.set('hasty payment', 'says nothing');
    await place('hasty');
    const history = await told('hasty');
    // On a machine that is slow the first answer may come too late as well.
    const undone = ['undoing payment', 'undoing stock', 'failed'];
    if (history.length > 3) assert.deepEqual(history, ['asked stock', 'asked payment', ...undone]);
    else assert.deepEqual(history, ['asked stock', ...undone.slice(1)]);
    assert.equal((await timersOf('hasty')).at(-1), 'released');
  });

  it('undoes what was done in the opposite order, each step once the one before is confirmed', async () => {
    answers.set('refused shipping', 'refuses');
    await place('refused');
    const all = ['asked stock', 'asked payment', 'asked shipping', 'undoing payment', 'undoing stock', 'failed'];
    assert.deepEqual(await told('refused'), all);
    assert.deepEqual(await timersOf('refused'), ['cancelled', 'cancelled', 'cancelled']);
    const undone = works.events().filter(({ type }) => type === contracts.undone.type);
    assert.deepEqual(
      undone.map(({ data }) => data as { readonly orderId: string }).filter(({ orderId }) => orderId === 'refused'),
      ['payment', 'stock'].map((step) => ({ orderId: 'refused', step })),
    );
  });

  it('records what it does as caused by what it took, and says so in the effects', async () => {
    const event = await place('caused');
    await over('caused');
    const { caused = [] } = await settled(event.id);
    const found = await Promise.all(caused.map((id) => first.findEvent(id)));
    assert.deepEqual(
      found.map((each) => [each?.type, each?.causationid, each?.correlationid, each?.authid]).sort(),
      [`${orders.service}.timer.scheduled`, contracts.asked.type]
        .map((type) => [type, event.id, event.correlationid, 'usr_TEST'])
        .sort(),
    );
  });

  it('takes nothing twice, and nothing once it is over', async () => {
    const event = await place('twice');
    const { revision } = await over('twice');
    await told('twice');
    const answered = works.events().filter(({ data }) => (data as { orderId: string }).orderId === 'twice');
    assert.equal(answered.length, 3);
    await sendAgain(orders, event);
    await sendAgain(works, ...answered);
    // A new event about a saga that is over; behind the duplicates.
    const last = answered[2]!;
    const late = { ...last, id: crypto.randomUUID(), sequence: toSequence(fromSequence(last.sequence) + 1) };
    await sendAgain(works, late);
    await settled(late.id);
    assert.equal((await over('twice')).revision, revision);
    assert.equal((await told('twice')).length, revision);
  });

  it('ignores a timeout that was moved while it was on its way, and takes the one that it waits for', async () => {
    answers.set('stale payment', 'says nothing');
    await place('stale');
    const saga = await eventually('payment is asked for', async () => {
      const found = await sagas().findOne({ _id: 'stale' });
      return found?.state.at === 'payment' ? found : undefined;
    });
    const rows = first.db.collection<TimerDocument>('timers');
    const moved = (await rows.findOne({ about: 'fulfilment/stale', status: 'cancelled' })) ?? assert.fail();
    const order = orders.events().find(({ subject }) => subject === 'order/stale') ?? assert.fail();
    const unanswered = (timerId: string, revision: number): EventEnvelope => ({
      ...{ ...order, id: crypto.randomUUID(), type: contracts.unanswered.type, subject: `timer/${timerId}` },
      ...{ dataschema: `urn:causeway:contract:${contracts.unanswered.type}:1`, sequence: toSequence(revision) },
    });
    // It was scheduled, and cancelled; the other one was scheduled.
    const answer = saga.timers.answer ?? assert.fail();
    const [stale, awaited] = [unanswered(moved._id, 3), unanswered(answer, 2)];
    // What is made up may not overtake what the relay has still to send: it would be out of sequence, and be parked.
    await eventually('what is true of both timers is on the topic', () => {
      const told = new Set(orders.events().map(({ subject, sequence }) => `${subject} ${fromSequence(sequence)}`));
      return told.has(`timer/${moved._id} 2`) && told.has(`timer/${answer} 1`) ? true : undefined;
    });
    await sendAgain(orders, stale);
    await settled(stale.id);
    assert.equal((await sagas().findOne({ _id: 'stale' }))?.revision, saga.revision);
    await sendAgain(orders, awaited);
    assert.deepEqual(await told('stale'), [
      ...['asked stock', 'asked payment', 'undoing payment', 'undoing stock', 'failed'],
    ]);
  });

  it('ends each of many in one way alone, whatever answers and timeouts race at two replicas', async () => {
    const ids = Array.from({ length: 16 }, (_, index) => `${hasty}${index}`);
    for (const [index, id] of ids.entries()) {
      if (index % 4 === 1) answers.set(`${id} payment`, 'refuses');
      if (index % 4 === 2) answers.set(`${id} shipping`, 'says nothing');
    }
    await Promise.all(ids.map(place));
    const stepsOf = (id: string, { type }: { readonly type: string }): string[] =>
      works
        .events()
        .map((event) => ({ type: event.type, ...(event.data as { readonly orderId: string; readonly step: string }) }))
        .filter((each) => each.type === type && each.orderId === id)
        .map(({ step }) => step);
    for (const id of ids) {
      const { state, timers } = await over(id);
      const history = await told(id);
      assert.deepEqual(timers, {}, id);
      assert.equal(history.filter((each) => ['completed', 'failed'].includes(each)).length, 1, history.join(', '));
      const [done, undone] = [new Set(stepsOf(id, contracts.done)), new Set(stepsOf(id, contracts.undone))];
      // All of it, or nothing.
      if (state.status === 'completed') assert.deepEqual([done.size, undone.size], [plan.length, 0], id);
      else
        assert.deepEqual(
          [...done].filter((step) => !undone.has(step)),
          [],
          `${id}: ${history.join(', ')}`,
        );
      assert.ok(!(await timersOf(id)).includes('scheduled'), id);
    }
  });
});

interface Tally {
  readonly status: 'counting';
  readonly texts: readonly string[];
}

describe('a saga that many subjects reach at once', () => {
  let world: TestWorld;

  before(async () => {
    world = await openWorld();
  });
  after(() => world.end());

  it('takes each of their events once, however they race for its document', async () => {
    const { service } = world;
    const data = { text: z.string() };
    const common = { version: 1, description: 'In a test.', data };
    const written = defineEvent({ ...common, thing: 'note', type: `${service}.note.written` });
    const tallied = defineEvent({ ...common, thing: 'tally', type: `${service}.tally.counted` });
    const tally = defineSaga<Tally>({
      ...{ name: 'tally', collection: 'tallies', thing: 'tally' },
      steps: ({ starts }) => [
        starts(written, {
          id: () => 'all',
          decide: (state, event) => ({
            state: { status: 'counting', texts: [...(state?.texts ?? []), event.data.text] },
            event: draft(tallied, event.data),
          }),
        }),
      ],
    });
    // Would go on for ever, if it were not over.
    const first = defineSaga<Tally>({
      ...{ name: 'first', collection: 'firsts', thing: 'tally' },
      steps: ({ starts }) => [
        starts(written, {
          id: () => 'first',
          decide: (_, event) => ({
            state: { status: 'counting', texts: [event.data.text] },
            event: draft(tallied, event.data),
            ends: true,
          }),
        }),
      ],
    });
    let calls = 0;
    const wrapped: Saga<Tally> = {
      ...tally,
      handle: (event, context) => {
        calls += 1;
        return tally.handle(event, context);
      },
    };
    const handlers = [wrapped, first];
    const replicas = [world.replica({ handlers }), world.replica({ handlers })];
    const [one] = replicas as [Events];
    const [notes] = replicas.map((each) => each.collection('notes', { thing: 'note' })) as [
      RecordedCollection<RecordedDocument>,
    ];
    for (const each of replicas) await each.start();
    const texts = Array.from({ length: 24 }, (_, index) => `n${index}`);
    await Promise.all(
      texts.map((text) => notes.create(testCause(), { _id: text, state: {}, event: draft(written, { text }) })),
    );
    const tallies = one.db.collection<SagaDocument<Tally>>('tallies');
    const counted = (atLeast: number) =>
      eventually(`${atLeast} are counted`, async () => {
        const found = await tallies.findOne({ _id: 'all' });
        return found !== null && found.state.texts.length >= atLeast ? found : undefined;
      });
    // Each in turn has its own bound: they are slow where others want the machine too, but nobody starves.
    for (const index of texts.keys()) await counted(index + 1);
    const all = await counted(texts.length);
    assert.deepEqual([...all.state.texts].sort(), [...texts].sort());
    assert.equal(all.revision, texts.length);
    assert.ok(calls >= texts.length, 'a saga may be wrapped like any other handler');
    const handled = one.db.collection<HandledRow>('handled');
    await eventually('all are handled by both', async () =>
      (await handled.countDocuments()) === 2 * texts.length ? true : undefined,
    );
    const firsts = one.db.collection<SagaDocument<Tally>>('firsts');
    assert.equal((await firsts.findOne({ _id: 'first' }))?.revision, 1);
    assert.equal(await handled.countDocuments({ status: { $ne: 'done' } }), 0, 'nobody was parked');
    // The races are settled by the transaction, not by the retries of the handler.
    assert.equal(await handled.countDocuments({ attempts: { $gt: 1 } }), 0);
  });
});
