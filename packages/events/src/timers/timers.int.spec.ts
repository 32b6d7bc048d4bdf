import { ContractViolation, defineEvent, Fault, type EventEnvelope } from '@causeway/contracts';
import { createLogger, withProcessSpan } from '@causeway/telemetry';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

import type { Events, EventsOptions } from '../events.ts';
import { reapTimers } from '../retention/reap-deleted.ts';
import { traceEverything } from '../testing/ended-spans.ts';
import { eventually, openWorld, testCause, type TestWorld } from '../testing/test-events.ts';
import { createTimerReleases } from './release-timers.ts';
import { longestMs, type ScheduleRequest } from './schedule-timers.ts';
import { serverTime } from './server-time.ts';
import { createTimerMetrics } from './timer-metrics.ts';
import { timers, type TimerDocument } from './timer.model.ts';

const { spans: ended, stop } = traceEverything();
after(stop);

const reminders = (service: string) => {
  const common = { version: 1, thing: 'timer', description: 'In a test.' };
  return {
    due: defineEvent({
      ...common,
      type: `${service}.reminder.due`,
      data: { text: z.string(), tag: z.string().optional() },
    }),
    bare: defineEvent({ ...common, type: `${service}.reminder.bare`, data: {} }),
    other: defineEvent({ ...common, type: `${service}.reminder.other`, data: { text: z.string() } }),
    misplaced: defineEvent({ ...common, thing: 'note', type: `${service}.note.made`, data: {} }),
    foreign: defineEvent({ ...common, type: `not${service}.reminder.due`, data: {} }),
  };
};

/** A generator whose numbers are the same for the same seed (mulberry32). */
const seeded = (seed: number) => (): number => {
  seed = (seed + 0x6d2b79f5) | 0;
  let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
};

describe('timers', () => {
  let world: TestWorld;
  let contracts: ReturnType<typeof reminders>;

  const replica = (options: Partial<EventsOptions> = {}): Events =>
    world.replica({ timers: [contracts.due, contracts.bare, contracts.other], ...options });
  const rows = (events: Events) => events.collection<TimerDocument>(timers, { thing: 'timer' });
  const told = (timerId: string): EventEnvelope[] =>
    world.events().filter(({ subject }) => subject === `timer/${timerId}`);
  /** Both events of a timer. */
  const over = (timerId: string): Promise<EventEnvelope[]> =>
    eventually(`the end of ${timerId}`, () => (told(timerId).length >= 2 ? told(timerId) : undefined));
  const typesOf = (events: readonly EventEnvelope[]): string[] =>
    events.map(({ type }) => type.slice(world.service.length + 1));
  /** What each of many timers has come to, once all of them are over and nothing more comes. */
  const ends = async (ids: readonly string[]): Promise<string[]> => {
    for (const id of ids) await over(id);
    await quiet();
    return ids.map((id) => typesOf(told(id)).join(' '));
  };
  /** Long enough for a second release of what is over: a timer that was scheduled later is over too. */
  const quiet = async (): Promise<void> => {
    const any = replica();
    const { timerId } = await any.schedule(testCause(), {
      contract: contracts.due,
      data: { text: 'last' },
      afterMs: 300,
    });
    await over(timerId);
  };
  const remind = (text: string, afterMs: number, rest: Partial<ScheduleRequest<{ text: string }>> = {}) => ({
    contract: contracts.due,
    data: { text },
    afterMs,
    ...rest,
  });

  beforeEach(async () => {
    world = await openWorld();
    contracts = reminders(world.service);
  });
  afterEach(() => world.end());

  const started = async (options: Partial<EventsOptions> = {}): Promise<Events> => {
    const events = replica(options);
    await events.start();
    if (world.records.length === 0) await world.follow();
    return events;
  };

  it('record their event once, at its time, as the next event of what announced it', async () => {
    const events = await started();
    const cause = testCause();
    const began = performance.now();
    const { timerId, event } = await events.schedule(cause, remind('tea', 400, { about: 'cup/1' }));
    const { deliverAt } = (await rows(events).native.findOne({ _id: timerId })) ?? assert.fail();
    const [announced, due] = await over(timerId);
    const tookMs = performance.now() - began;
    assert.ok(tookMs >= 399 && tookMs < 4_000, `${tookMs} ms`);
    assert.ok((await serverTime(events.db)) >= deliverAt);
    assert.equal(announced?.id, event?.id);
    assert.deepEqual(announced?.data, {
      ...{ timerId, type: contracts.due.type, about: 'cup/1' },
      deliverAt: deliverAt.toISOString(),
    });
    assert.deepEqual(
      [due?.type, due?.sequence, due?.correlationid, due?.causationid, due?.authtype, due?.authid],
      [contracts.due.type, '0000000000000002', cause.correlationId, announced.id, 'app_user', 'usr_TEST'],
    );
    assert.deepEqual(due?.data, { text: 'tea' });
    const row = await rows(events).native.findOne({ _id: timerId });
    assert.deepEqual(
      [row?.status, row?.data, row?.cause],
      ['released', undefined, undefined],
      'nothing personal stays',
    );
  });

  it('record it at once where the time has passed', async () => {
    const events = await started();
    const { timerId } = await events.schedule(testCause(), {
      ...{ contract: contracts.due, data: { text: 'late' } },
      deliverAt: new Date('2020-01-01T00:00:00Z'),
    });
    assert.deepEqual(typesOf(await over(timerId)), ['timer.scheduled', 'reminder.due']);
  });

  it('are released in time, and woken for one that is due before the one that is waited for', async () => {
    const events = await started();
    await events.schedule(testCause(), remind('far', 3_600_000));
    // Without being woken each would wait for the next look, which is two seconds off.
    let soon = 0;
    await eventually('six timers of 100 ms that are over within a second', async () => {
      const began = performance.now();
      const { timerId } = await events.schedule(testCause(), remind('near', 100));
      await over(timerId);
      if (performance.now() - began < 1_000) soon += 1;
      return soon === 6 ? true : undefined;
    });
  });

  it('are released each once where many are due together', async () => {
    const events = await started();
    const deliverAt = new Date((await serverTime(events.db)).getTime() + 1_500);
    const { contract, data } = remind('many', 0);
    const ids = await Promise.all(
      Array.from(
        { length: 130 },
        async () => (await events.schedule(testCause(), { contract, data, deliverAt })).timerId,
      ),
    );
    assert.deepEqual(new Set(await ends(ids)), new Set(['timer.scheduled reminder.due']));
  });

  it('are released once by two that both take themselves for the leader', async (context) => {
    const events = await started();
    const zombie = createTimerReleases({
      ...{ service: world.service, collection: rows(events), now: () => new Date() },
      declared: () => contracts.bare,
      slots: () => [0, 1, 2, 3],
      unnameErased: (cause) => Promise.resolve(cause),
      metrics: createTimerMetrics(() => undefined),
      logger: createLogger({ service: world.service, level: 'silent' }),
    });
    context.after(() => zombie.stop());
    zombie.start();
    const end = events.stream.subscribe((change) => zombie.onChange(change));
    context.after(end);
    const deliverAt = new Date((await serverTime(events.db)).getTime() + 700);
    // Without data: of a timer that is over there is none, so that a second event with some would break its contract.
    const { bare: contract } = contracts;
    const ids = await Promise.all(
      Array.from(
        { length: 60 },
        async () => (await events.schedule(testCause(), { contract, data: {}, deliverAt })).timerId,
      ),
    );
    assert.deepEqual(new Set(await ends(ids)), new Set(['timer.scheduled reminder.bare']));
  });

  it('end as fired or as cancelled, never as both, where cancels race their release', async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const random = seeded(seed);
    const [one, two] = [await started(), await started()];
    const outcomes = new Map<string, 'reminder.bare' | 'timer.cancelled'>();
    /** One timer after the other. What was cancelled makes the next cancel later, what fired makes it sooner: they stay close. */
    const race = async (lane: number): Promise<void> => {
      for (let turn = 0, afterMs = 50; turn < 20; turn += 1) {
        const by = random() < 0.5 ? one : two;
        const { timerId } = await by.schedule(testCause(), { contract: contracts.bare, data: {}, afterMs: 50 });
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, afterMs)));
        const canceller = random() < 0.5 ? one : two;
        const cancel = (): Promise<boolean> =>
          (lane + turn) % 3 === 0
            ? canceller.transaction((session) => canceller.unschedule(testCause(), timerId, { session }))
            : canceller.unschedule(testCause(), timerId);
        const was = await cancel();
        assert.equal(await cancel(), false, 'nothing is cancelled twice');
        outcomes.set(timerId, was ? 'timer.cancelled' : 'reminder.bare');
        // By a share, so that it finds its place on a busy machine too.
        afterMs *= was ? 1 + random() : 1 - random() / 2;
      }
    };
    await Promise.all([0, 1, 2, 3].map(race));
    const ids = [...outcomes.keys()];
    assert.deepEqual(
      await ends(ids),
      [...outcomes.values()].map((end) => `timer.scheduled ${end}`),
      `seed ${seed}`,
    );
    assert.equal(new Set(outcomes.values()).size, 2, `no race, seed ${seed}`);
  });

  it('fire neither early nor late where the clock of a replica is five minutes off', async () => {
    const off = (minutes: number) => ({ now: () => new Date(Date.now() + minutes * 60_000) });
    const replicas = [await started(off(5)), await started(off(-5))];
    await Promise.all(
      replicas.flatMap((events) =>
        ['a', 'b', 'c', 'd', 'e', 'f'].map(async (text) => {
          const began = performance.now();
          const { timerId } = await events.schedule(testCause(), remind(text, 800));
          await over(timerId);
          const tookMs = performance.now() - began;
          // Far below the five minutes, however busy the machine is.
          assert.ok(tookMs >= 799 && tookMs < 120_000, `${tookMs} ms`);
        }),
      ),
    );
  });

  it('are released, each once, by another replica where their leader is killed', async () => {
    const { service, database } = world;
    const script = fileURLToPath(new URL('../testing/replica-child.ts', import.meta.url));
    const child = spawn(process.execPath, ['--conditions=development', script, service, database, '4'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const signal = AbortSignal.timeout(120_000);
    await once(createInterface({ input: child.stdout }), 'line', { signal });
    const other = replica();
    await world.follow();
    const ids: string[] = [];
    for (let index = 0; index < 60; index += 1) {
      // The last ones come long after the kill, on a busy machine too.
      const afterMs = 200 + index * 20 + (index < 50 ? 0 : 10_000);
      ids.push((await other.schedule(testCause(), remind(`k${index}`, afterMs))).timerId);
    }
    await eventually('some are released', () => (ids.some((id) => told(id).length === 2) ? true : undefined));
    child.kill('SIGKILL');
    await once(child, 'exit', { signal });
    const released = await rows(other).native.countDocuments({ status: 'released' });
    assert.ok(released < 60, 'all were over before the kill');
    await other.start();
    assert.deepEqual(new Set(await ends(ids)), new Set(['timer.scheduled reminder.due']));
  });

  it('are part of a transaction: what it does not commit was neither scheduled nor cancelled', async () => {
    const events = await started();
    const { timerId: kept } = await events.schedule(testCause(), remind('kept', 60_000));
    let lost = '';
    const failing = events.transaction(async (session) => {
      lost = (await events.schedule(testCause(), remind('lost', 0), { session })).timerId;
      assert.equal(await events.unschedule(testCause(), kept, { session }), true);
      throw new Error('no');
    });
    await assert.rejects(failing, /no/);
    assert.equal(await events.unschedule(testCause(), kept), true, 'it still waits');
    assert.deepEqual(typesOf(await over(kept)), ['timer.scheduled', 'timer.cancelled']);
    assert.equal(await rows(events).native.findOne({ _id: lost }), null);
    assert.deepEqual(told(lost), []);
  });

  describe('with a key', () => {
    it('are one timer, however often they are asked for, until they are over and after', async () => {
      const events = await started();
      const ask = () => events.schedule(testCause(), remind('once', 300, { key: 'invoice/7' }));
      const asked = await Promise.all([ask(), ask(), ask()]);
      const again = await events.transaction((session) =>
        events.schedule(testCause(), remind('once', 300, { key: 'invoice/7' }), { session }),
      );
      const [first] = asked;
      for (const each of [...asked, again]) assert.equal(each.timerId, first.timerId);
      assert.equal([...asked, again].filter(({ event }) => event !== undefined).length, 1);
      await over(first.timerId);
      assert.deepEqual(await ask(), { timerId: first.timerId });
      assert.deepEqual(await ends([first.timerId]), ['timer.scheduled reminder.due']);
    });

    it('are refused where they differ from the one that is there', async () => {
      const events = await started();
      await events.schedule(testCause(), remind('one', 60_000, { key: 'k' }));
      for (const other of [remind('two', 60_000), remind('one', 61_000), { ...remind('one', 60_000), about: 'x/1' }]) {
        await assert.rejects(
          events.schedule(testCause(), { ...other, key: 'k' }),
          (error: unknown) => error instanceof Fault && error.code === 'timer-differs',
        );
      }
    });
  });

  describe('that make no sense', () => {
    it('are refused, with a word on what is wrong', async () => {
      const events = await started();
      const { due } = contracts;
      const data = { text: 'x' };
      const cases: [ScheduleRequest, RegExp][] = [
        [{ contract: due, data }, /either deliverAt or afterMs/],
        [{ contract: due, data, deliverAt: new Date(), afterMs: 1 }, /either deliverAt or afterMs/],
        [{ contract: due, data, afterMs: -1 }, /afterMs has to be/],
        [{ contract: due, data, afterMs: Number.NaN }, /afterMs has to be/],
        [{ contract: due, data, afterMs: longestMs + 1 }, /afterMs has to be .* ten years/],
        [{ contract: due, data, deliverAt: new Date('no date') }, /deliverAt has to be/],
        [{ contract: due, data, deliverAt: new Date('2200-01-01') }, /deliverAt has to be .* ten years/],
        [{ contract: contracts.misplaced, data: {}, afterMs: 1 }, /note\.made 1 cannot be scheduled: name it in/],
      ];
      for (const [request, message] of cases) {
        await assert.rejects(events.schedule(testCause(), request), { name: 'TypeError', message });
      }
      const wrong = events.schedule(testCause(), { contract: due, data: { txt: 'x' } as never, afterMs: 1 });
      await assert.rejects(
        wrong,
        (error: unknown) => error instanceof ContractViolation && error.message.includes('/text'),
      );
      const huge = events.schedule(testCause(), remind('x'.repeat(2 * 1024 * 1024), 1));
      await assert.rejects(huge, (error: unknown) => error instanceof Fault && error.code === 'payload-too-large');
      assert.equal(await rows(events).native.countDocuments(), 0);
      assert.equal(await events.unschedule(testCause(), 'tmr_NONE'), false);
      for (const contract of [contracts.misplaced, contracts.foreign]) {
        assert.throws(() => replica({ timers: [contract] }), /has to be its own, with thing 'timer'/);
      }
    });
  });

  it('that cannot be released are put off, hold nobody up, and come once they can', async () => {
    const older = await started({ timers: [contracts.due] });
    const newer = replica();
    const { timerId: unknown } = await newer.schedule(testCause(), {
      ...{ contract: contracts.other, data: { text: 'new' }, afterMs: 0 },
    });
    const { native } = rows(older);
    const putOff = await eventually('it is put off', async () => {
      const row = await native.findOne({ _id: unknown });
      return row !== null && row.dueAt > row.deliverAt ? row : undefined;
    });
    assert.ok(putOff.dueAt.getTime() - putOff.deliverAt.getTime() >= 30_000);
    const { timerId: known } = await older.schedule(testCause(), remind('known', 50));
    await over(known);
    const report = await newer.timerOf({ type: `${world.service}.timer.scheduled`, subject: `timer/${unknown}` });
    assert.deepEqual([report?.status, report?.due], ['scheduled', true]);
    await older.stop();
    await native.updateOne({ _id: unknown }, { $set: { dueAt: putOff.deliverAt } });
    await newer.start();
    assert.deepEqual(typesOf(await over(unknown)), ['timer.scheduled', 'reminder.other']);
  });

  it('carry what the newest version of their contract has, whatever was scheduled', async () => {
    const older = replica();
    const { type, version, schema } = contracts.due;
    const newest = defineEvent({
      ...{ type, version: 2, thing: 'timer', description: 'In a test.', data: { words: z.array(z.string()) } },
      earlier: { version, schema },
      upcast: ({ text }: { readonly text: string }) => ({ words: text.split(' ') }),
    });
    const { timerId } = await older.schedule(testCause(), remind('two words', 0));
    await started({ timers: [newest] });
    const [, due] = await over(timerId);
    assert.deepEqual([due?.data, due?.dataschema.at(-1)], [{ words: ['two', 'words'] }, '2']);
  });

  it('begin a trace of their own, linked to that in which they were scheduled', async () => {
    const events = await started();
    const [traceId, spanId] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331'];
    const request = { id: 'e1', type: 'test.thing.done', traceparent: `00-${traceId}-${spanId}-01` };
    const { timerId, event } = await withProcessSpan(request, { destination: 'test' }, () =>
      events.schedule(testCause(), remind('traced', 100)),
    );
    assert.match(event?.traceparent ?? '', new RegExp(`^00-${traceId}-`));
    const [, due] = await over(timerId);
    const ownTrace = due?.traceparent?.split('-')[1] ?? assert.fail('the event has no trace');
    assert.notEqual(ownTrace, traceId);
    const span = ended.find((each) => each.spanContext().traceId === ownTrace && each.links.length > 0);
    assert.deepEqual(
      span?.links.map(({ context }) => [context.traceId, context.spanId]),
      [[traceId, event?.traceparent?.split('-')[2]]],
    );
  });

  it('are told of by the event that announced them', async () => {
    const events = await started();
    const { timerId, event } = await events.schedule(testCause(), remind('shown', 60_000));
    const announced = event ?? assert.fail();
    const report = (await events.timerOf(announced)) ?? assert.fail();
    const { deliverAt } = announced.data as { readonly deliverAt: string };
    const common = { timerId, type: contracts.due.type, deliverAt };
    assert.deepEqual(report, { ...common, status: 'scheduled', due: false });
    await events.unschedule(testCause(), timerId);
    const [, cancelled] = await over(timerId);
    assert.deepEqual(await events.timerOf(announced), {
      ...{ ...common, status: 'cancelled', due: false },
      settledBy: cancelled?.id,
    });
    assert.equal(await events.timerOf({ type: contracts.due.type, subject: announced.subject }), undefined);
  });

  it('are found by an index, in order, without sorting', async () => {
    const events = await started();
    const { native } = rows(events);
    for (const text of ['a', 'b', 'c']) await events.schedule(testCause(), remind(text, 60_000));
    const plan = await native
      .aggregate([{ $match: { status: 'scheduled', slot: { $in: [0, 2] } } }, { $sort: { dueAt: 1 } }, { $limit: 101 }])
      .explain('queryPlanner');
    const stages = [...JSON.stringify(plan.queryPlanner ?? plan).matchAll(/"stage":"(\w+)"/g)].map(
      ([, stage]) => stage,
    );
    assert.ok(stages.includes('SORT_MERGE') && stages.includes('IXSCAN'), stages.join(' '));
    assert.ok(!stages.includes('COLLSCAN') && !stages.includes('SORT'), stages.join(' '));
  });

  it('are removed long after they are over, and not before', async () => {
    const events = await started();
    const [old, young, waiting] = [
      (await events.schedule(testCause(), remind('old', 0))).timerId,
      (await events.schedule(testCause(), remind('young', 0))).timerId,
      (await events.schedule(testCause(), remind('waiting', 3_600_000))).timerId,
    ];
    await ends([old, young]);
    const { native } = rows(events);
    const before = new Date(Date.now() - 3_600_000);
    await native.updateOne({ _id: old }, { $set: { settledAt: new Date(before.getTime() - 1) } });
    await eventually('the old one is published, and removed', async () => {
      for await (const { count } of reapTimers(events.db, before)) return count;
      return undefined;
    });
    const left = (await native.find({ _id: { $in: [old, young, waiting] } }).toArray()).map(({ _id }) => _id);
    assert.deepEqual(left.sort(), [young, waiting].sort());
  });
});
