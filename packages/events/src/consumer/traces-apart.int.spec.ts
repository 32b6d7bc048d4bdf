import type { EventEnvelope } from '@causeway/contracts';
import { withSpan } from '@causeway/telemetry';
import assert from 'node:assert/strict';
import { after, afterEach, beforeEach, describe, it } from 'node:test';

import type { Events } from '../events.ts';
import { draft } from '../recording/recorded-document.ts';
import type { RecordedCollection } from '../recording/recorded-collection.ts';
import { traceEverything, type EndedSpan } from '../testing/ended-spans.ts';
import { eventually, noteEvents, openWorld, testCause, type Note, type TestWorld } from '../testing/test-events.ts';
import { onEvent, type Handler } from './handler.ts';
import type { HandledRow } from './inbox.ts';

const { spans, stop } = traceEverything();
after(stop);

const traceOf = ({ traceparent = '' }: { readonly traceparent?: string | undefined }): string =>
  traceparent.split('-')[1] ?? assert.fail('it has a trace');

const linkedTraces = ({ links }: EndedSpan): string[] => links.map(({ context: { traceId } }) => traceId);

describe('what is handled later than it is delivered, or together', () => {
  let world: TestWorld;
  let contracts: ReturnType<typeof noteEvents>;
  let writer: Events;
  let notes: RecordedCollection<Note>;

  beforeEach(async () => {
    spans.length = 0;
    world = await openWorld();
    contracts = noteEvents(world.service);
    writer = world.replica({ partitions: 1 });
    notes = writer.collection<Note>('notes', { thing: 'note' });
    await writer.start();
    await world.follow();
  });
  afterEach(() => world.end());

  /** Each in a trace of its own, as if each were written by a request; resolves when it is published. */
  const write = async (text: string): Promise<EventEnvelope> => {
    const creation = { _id: text, state: { text }, event: draft(contracts.created, { text }) };
    const { event } = await withSpan('a request', {}, () => notes.create(testCause(), creation));
    await eventually(`${text} published`, () => world.events().find(({ id }) => id === event.id));
    return event;
  };
  const settled = (handler: string, event: EventEnvelope, status: string) =>
    eventually(`${handler} of ${event.id} ${status}`, async () => {
      const rows = world.client.db(world.database).collection<HandledRow>('handled');
      return (await rows.findOne({ _id: { handler, event: event.id }, status } as object)) ?? undefined;
    });
  const processed = (handler: string): EndedSpan[] =>
    spans.filter(
      ({ name, attributes }) => name.startsWith('process ') && attributes['messaging.operation.name'] === handler,
    );
  const echoOf = (event: EventEnvelope) =>
    eventually(`the echo of ${event.id}`, () => world.events().find(({ causationid }) => causationid === event.id));
  /** Records an echo of what it is given, so that its trace can be followed. */
  const echoing = (name: string, more: { readonly from?: 'beginning'; readonly isBroken?: () => boolean } = {}) =>
    onEvent.transaction({
      ...(more.from === undefined ? {} : { from: more.from }),
      name,
      on: [contracts.created],
      async handle({ id, data: { text } }, { session, cause }) {
        if (more.isBroken?.() === true) throw new TypeError('broken');
        const creation = { _id: `${name}-${id}`, state: { text }, event: draft(contracts.echoed, { text }) };
        await notes.create(cause, creation, { session });
      },
    });
  const open = async (...handlers: Handler[]): Promise<Events> => {
    const events = world.replica({ partitions: 1, handlers });
    notes = events.collection<Note>('notes', { thing: 'note' });
    await events.start();
    return events;
  };
  /** One span of a handler has a trace of its own that is linked to the event's, and what was recorded goes on in it. */
  const isApart = async (handler: string, event: EventEnvelope): Promise<void> => {
    const echo = await echoOf(event);
    const own = await eventually('its span', () =>
      processed(handler).find((span) => span.spanContext().traceId === traceOf(echo)),
    );
    assert.notEqual(traceOf(echo), traceOf(event), 'not in the trace of the event');
    assert.equal(own.parentSpanContext, undefined, 'it begins a trace');
    assert.deepEqual(linkedTraces(own), [traceOf(event)]);
    assert.equal(echo.correlationid, event.correlationid);
  };

  it('has a trace of its own where it is redriven, linked to the first', async () => {
    let broken = true;
    const events = await open(echoing('echo', { isBroken: () => broken }));
    const event = await write('one');
    await settled('echo', event, 'parked');
    broken = false;
    await events.redrives?.request(testCause(), { handler: 'echo', eventId: event.id, scope: 'event' });
    await isApart('echo', event);
  });

  it('has a trace of its own where it is replayed, linked to the first', async () => {
    // It makes the group's way: a replay goes as far as that has got.
    const seen = onEvent.transaction({ name: 'seen', on: [contracts.created], handle: () => Promise.resolve() });
    const first = await open(seen);
    const event = await write('one');
    await settled('seen', event, 'done');
    const positions = writer.db.collection<{ readonly event: string }>('positions');
    await eventually('a commit', async () => (await positions.findOne({ event: event.id })) ?? undefined);
    await first.stop();
    const events = await open(seen, echoing('late'));
    await events.replays?.request(testCause(), { handler: 'late', since: new Date(0), ratePerSecond: 1_000 });
    await isApart('late', event);
  });

  it('has a trace of its own where a new handler catches up, linked to the first', async () => {
    const event = await write('one');
    await open(echoing('new', { from: 'beginning' }));
    await isApart('new', event);
  });

  it('has one span in a trace of its own where it is a batch, linked to each event of it', async () => {
    const written = [await write('one'), await write('two'), await write('three')];
    const batch = onEvent.batch({
      name: 'batch',
      on: [contracts.created],
      async handle(events, { session, causeOf }) {
        for (const event of events) {
          const { text } = event.data;
          const creation = { _id: `echo-${event.id}`, state: { text }, event: draft(contracts.echoed, { text }) };
          await notes.create(causeOf(event), creation, { session });
        }
      },
    });
    await open(batch);
    const echoes = await Promise.all(written.map(echoOf));
    const [own, ...others] = await eventually('its span', () => {
      const found = processed('batch');
      return found.length > 0 ? found : undefined;
    });
    assert.ok(own);
    assert.deepEqual(others, [], 'one for all of them');
    assert.equal(own.attributes['messaging.batch.message_count'], 3);
    assert.equal(own.parentSpanContext, undefined);
    assert.deepEqual(linkedTraces(own).sort(), written.map(traceOf).sort());
    assert.equal(new Set(linkedTraces(own)).size, 3);
    for (const echo of echoes) assert.equal(traceOf(echo), own.spanContext().traceId);
  });
});
