import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EventEnvelope, ServiceName } from '@causeway/contracts';
import type { CausedReport, EffectReport, TimerReport } from '@causeway/service';
import { createLogger } from '@causeway/telemetry';

import { ServiceAway, type ServiceClient } from '../services/service-client.ts';
import { awaitComplete } from './await-complete.ts';
import { followEffects, most, type Effects } from './effects-tree.ts';

const event = (id: string, type = 'auth.account.created'): EventEnvelope => ({
  specversion: '1.0',
  id,
  type,
  source: '/causeway/auth',
  subject: `account/${id}`,
  sequence: '0000000000000001',
  time: '2026-01-01T00:00:00.000Z',
  datacontenttype: 'application/json',
  dataschema: 'urn:x',
  correlationid: 'c',
  authtype: 'system',
  data: {},
});

interface World {
  readonly handlers: readonly { service: string; handler: string; types: readonly string[] }[];
  /** By service and event id. */
  readonly reports: Record<string, EffectReport[]>;
  readonly events: Record<string, EventEnvelope>;
  /** What services have recorded by themselves, by service and event id. */
  readonly apart?: Record<string, CausedReport[]>;
  readonly away?: readonly ServiceName[];
  readonly timer?: TimerReport;
}

const done = (handler: string, ...caused: string[]): EffectReport => ({ handler, status: 'done', attempts: 1, caused });

const follow = (world: World, top: EventEnvelope, withErrors = false, onAsked?: (eventId: string) => void) => {
  const client: ServiceClient = {
    ask: (service, { path, body }) => {
      if (world.away?.includes(service) === true) return Promise.reject(new ServiceAway(service, 'down'));
      if (path === '/internal/effects') {
        onAsked?.((body as EventEnvelope).id);
        const effects = world.reports[`${service} ${(body as EventEnvelope).id}`] ?? [];
        const caused = world.apart?.[`${service} ${(body as EventEnvelope).id}`] ?? [];
        return Promise.resolve({ status: 200, json: { effects, caused, timer: world.timer } });
      }
      const found = world.events[path.split('/').at(-1) ?? ''];
      return Promise.resolve(found === undefined ? { status: 404, json: {} } : { status: 200, json: found });
    },
    position: () => undefined,
    close: () => Promise.resolve(),
  };
  const registry = {
    handlersOf: ({ type }: { readonly type: string }) =>
      world.handlers
        .filter(({ types }) => types.includes(type))
        .map((each) => ({ ...each, kind: 'transaction' as const, since: '' })),
  };
  const logger = createLogger({ service: 'test', level: 'silent' });
  return followEffects(top, { client, registry, logger, withErrors, ask: { requestId: 'r' } });
};

const look = (world: World, top: EventEnvelope, withErrors = false): Promise<Effects> =>
  follow(world, top, withErrors)();

const onAccount = { service: 'user', handler: 'create-profile', types: ['auth.account.created'] } as const;
const onProfile = { service: 'data', handler: 'copy', types: ['user.profile.created'] } as const;

describe('effects', () => {
  it('are complete when every registered handler has finished, of all that was caused too', async () => {
    const world = {
      handlers: [onAccount, onProfile],
      reports: { 'user a': [done('create-profile', 'b')], 'data b': [{ ...done('copy'), status: 'discarded' }] },
      events: { b: event('b', 'user.profile.created') },
    };
    const effects = await look(world, event('a'));
    assert.equal(effects.complete, true);
    assert.deepEqual(
      effects.caused.map(({ event: { id }, handlers }) => [id, handlers[0]?.status]),
      [['b', 'discarded']],
    );
    const below = await look({ ...world, reports: { ...world.reports, 'data b': [] } }, event('a'));
    assert.equal(below.handlers[0]?.status, 'done');
    assert.equal(below.complete, false, 'one below is pending');
  });

  it('are pending where the handler’s service is down, or has not heard of it', async () => {
    const reports = { 'user a': [done('create-profile')] };
    for (const world of [
      { handlers: [onAccount], reports, events: {}, away: ['user'] as const },
      { handlers: [onAccount], reports: {}, events: {} },
    ]) {
      const effects = await look(world, event('a'));
      assert.deepEqual(effects.handlers, [
        { service: 'user', handler: 'create-profile', status: 'pending', attempts: 0 },
      ]);
      assert.equal(effects.complete, false);
    }
  });

  it('name handlers of services outside the platform as such: nobody can ask them, so nobody waits for them', async () => {
    const foreign = { service: 'billing', handler: 'invoice', types: ['auth.account.created', 'user.profile.created'] };
    const outside = { service: 'billing', handler: 'invoice', status: 'outside', attempts: 0 };
    const world = {
      handlers: [onAccount, foreign],
      reports: { 'user a': [done('create-profile')] },
      // More than are named.
      apart: { 'user a': [{ type: 'user.profile.created', ids: ['b'], more: true }] },
      events: { b: event('b', 'user.profile.created') },
    };
    const effects = await look(world, event('a'));
    assert.deepEqual([effects.handlers[1], effects.caused[0]?.handlers], [outside, [outside]]);
    assert.equal(effects.complete, true, 'here, below, and where they are not even named');
    const waiting = { ...world, reports: { 'user a': [{ ...done('create-profile'), status: 'retrying' as const }] } };
    assert.equal((await look(waiting, event('a'))).complete, false, 'those of the platform are waited for beside them');
  });

  it('are not complete while an event that was caused cannot be found', async () => {
    const effects = await look(
      { handlers: [onAccount], reports: { 'user a': [done('create-profile', 'b')] }, events: {} },
      event('a'),
    );
    assert.equal(effects.complete, false);
  });

  it('list what is scheduled for later and do not wait for it, but for what is due, and for what has come', async () => {
    const announced = event('t', 'auth.timer.scheduled');
    const waits = { timerId: 'tmr_1', type: 'auth.reminder.due', deliverAt: '2027-01-01T00:00:00.000Z' };
    const later = { ...waits, status: 'scheduled' as const, due: false };
    const onReminder = { service: 'user', handler: 'remind', types: ['auth.reminder.due'] } as const;
    const world = {
      handlers: [onAccount, onReminder],
      reports: { 'user a': [done('create-profile', 't')] },
      events: { t: announced, d: event('d', 'auth.reminder.due') },
    };
    const [effects, top] = [
      await look({ ...world, timer: later }, event('a')),
      await look({ ...world, timer: later }, announced),
    ];
    assert.deepEqual([effects.complete, effects.caused[0]?.scheduled], [true, waits]);
    assert.deepEqual([top.complete, top.scheduled, top.caused], [true, waits, []]);
    assert.equal((await look({ ...world, timer: { ...later, due: true } }, announced)).complete, false);
    assert.equal((await look({ ...world, timer: later, away: ['auth'] }, announced)).complete, false);

    const released = { ...world, timer: { ...later, status: 'released' as const, due: true, settledBy: 'd' } };
    const came = await look(released, announced);
    assert.deepEqual([came.complete, came.scheduled, came.caused[0]?.event.id], [false, undefined, 'd']);
    const handled = { ...world.reports, 'user d': [done('remind')] };
    assert.equal((await look({ ...released, reports: handled }, announced)).complete, true);
  });

  it('show errors to administrators alone, and parked is not finished', async () => {
    const error = { name: 'Fault', message: 'it broke' };
    const world = {
      handlers: [onAccount],
      reports: { 'user a': [{ ...done('create-profile'), status: 'parked', error }] },
      events: {},
    };
    assert.equal((await look(world, event('a'))).handlers[0]?.error, undefined);
    const shown = await look(world, event('a'), true);
    assert.equal(shown.handlers[0]?.error, 'Fault: it broke');
    assert.equal(shown.complete, false);
  });

  it('end where causes go in a circle', async () => {
    const circle = {
      handlers: [onAccount],
      reports: { 'user a': [done('create-profile', 'a')] },
      events: { a: event('a') },
    };
    assert.equal((await look(circle, event('a'))).complete, true);
  });

  /** One event after the other, each the cause of the next. */
  const chain = (length: number, last: EffectReport = done('create-profile')) => {
    const ids = Array.from({ length }, (_, index) => `e${index}`);
    return {
      handlers: [onAccount],
      reports: {
        ...Object.fromEntries(ids.map((id, index) => [`user ${id}`, [done('create-profile', `e${index + 1}`)]])),
        [`user e${length - 1}`]: [last],
      },
      events: Object.fromEntries(ids.map((id) => [id, event(id)])),
    };
  };
  const depthOf = (effects: Effects): number => 1 + Math.max(0, ...effects.caused.map(depthOf));

  it('follow causes however deep, and say so where not all of them are shown', async () => {
    const whole = await look(chain(400), event('e0'));
    assert.deepEqual([whole.complete, whole.cut, depthOf(whole)], [true, undefined, 400]);
    const long = await look(chain(2_000), event('e0'));
    assert.deepEqual([long.complete, long.cut, depthOf(long)], [true, true, most.events]);
    const pending = await look(chain(2_000, { ...done('create-profile'), status: 'retrying' }), event('e0'));
    assert.deepEqual([pending.complete, pending.cut], [false, true], 'what is not shown counts all the same');
    const endless = await look(chain(6_000), event('e0'));
    assert.deepEqual(
      [endless.complete, endless.cut],
      [false, true],
      'what was not followed is not known to be complete',
    );
  });

  it('name what handlers have recorded by themselves, and go on from there', async () => {
    const world = {
      handlers: [onAccount, onProfile],
      reports: { 'user a': [done('create-profile')], 'data b': [done('copy')] },
      apart: { 'user a': [{ type: 'user.profile.created', ids: ['b'], more: false }] },
      events: { b: event('b', 'user.profile.created') },
    };
    const effects = await look(world, event('a'));
    assert.deepEqual([effects.complete, effects.caused[0]?.event.id], [true, 'b']);
    const pending = await look({ ...world, reports: { 'user a': [done('create-profile')] } }, event('a'));
    assert.equal(pending.complete, false);
  });

  it('are complete over thousands of events that nobody handles, and show as many as there is room for', async () => {
    const ids = Array.from({ length: 1_000 }, (_, index) => `r${index}`);
    const world = {
      handlers: [onAccount, onProfile],
      reports: { 'user a': [done('create-profile')] },
      apart: { 'user a': [{ type: 'user.thing.deleted', ids, more: true }] },
      events: Object.fromEntries(ids.map((id) => [id, event(id, 'user.thing.deleted')])),
    };
    const effects = await look(world, event('a'));
    assert.deepEqual([effects.complete, effects.cut, effects.caused.length], [true, true, most.events - 1]);
    const handled = {
      ...world,
      handlers: [onAccount, { ...onProfile, types: ['user.thing.deleted'] }],
      reports: { 'user a': [done('create-profile')], 'data r0': [done('copy')] },
    };
    const some = (more: boolean) => ({ 'user a': [{ type: 'user.thing.deleted', ids: ['r0'], more }] });
    assert.equal((await look({ ...handled, apart: some(false) }, event('a'))).complete, true);
    const unnamed = await look({ ...handled, apart: some(true) }, event('a'));
    assert.deepEqual([unnamed.complete, unnamed.cut], [false, true], 'of those that are not named nobody knows');
  });

  it('hold no more bytes than an answer may have', async () => {
    const ids = Array.from({ length: 20 }, (_, index) => `l${index}`);
    const large = (id: string) => ({ ...event(id, 'user.thing.made'), data: { text: 'x'.repeat(most.bytes / 8) } });
    const world = {
      handlers: [onAccount],
      reports: { 'user a': [done('create-profile', ...ids)] },
      events: Object.fromEntries(ids.map((id) => [id, large(id)])),
    };
    const effects = await look(world, event('a'));
    assert.deepEqual([effects.complete, effects.cut, effects.caused.length], [true, true, 7]);
  });

  it('ask once about what is settled, however often they are waited for', async () => {
    const asked: string[] = [];
    const world: World = chain(3, { ...done('create-profile'), status: 'retrying' });
    const again = follow(world, event('e0'), false, (id) => void asked.push(id));
    for (let time = 0; time < 3; time += 1) assert.equal((await again()).complete, false);
    assert.deepEqual(asked, ['e0', 'e1', 'e2', 'e2', 'e2']);
  });
});

describe('awaiting completion', () => {
  const tree = (complete: boolean) => ({ event: event('a'), handlers: [], caused: [], complete });

  it('looks again until it is complete', async () => {
    let looks = 0;
    const effects = await awaitComplete(() => Promise.resolve(tree((looks += 1) === 3)), {
      waitMs: 30_000,
      signal: new AbortController().signal,
    });
    assert.deepEqual([effects.complete, looks], [true, 3]);
  });

  it('gives what there is when the time is up, or nobody waits', async () => {
    const signal = new AbortController().signal;
    assert.equal((await awaitComplete(() => Promise.resolve(tree(false)), { waitMs: 1, signal })).complete, false);
    assert.equal(
      (await awaitComplete(() => Promise.resolve(tree(false)), { waitMs: 30_000, signal: AbortSignal.abort() }))
        .complete,
      false,
    );
  });
});
