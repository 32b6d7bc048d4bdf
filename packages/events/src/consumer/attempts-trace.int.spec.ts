import { withProcessSpan } from '@causeway/telemetry';
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { draft } from '../recording/recorded-document.ts';
import { traceEverything } from '../testing/ended-spans.ts';
import { eventually, noteEvents, openWorld, testCause, type Note, type TestWorld } from '../testing/test-events.ts';
import { onEvent } from './handler.ts';

const { spans, stop } = traceEverything();
after(stop);

describe('attempts of a handler', () => {
  let world: TestWorld;

  before(async () => {
    world = await openWorld();
  });
  after(() => world.end());

  it('go on in the trace of the event at first, and begin a trace of their own, linked to it, after a failure', async () => {
    const contracts = noteEvents(world.service);
    let failures = 2;
    const handler = onEvent.transaction({
      name: 'echo',
      on: [contracts.created],
      async handle({ id, data: { text } }, { session, cause }) {
        if (text === 'flaky' && failures > 0) {
          failures -= 1;
          throw new Error('not yet');
        }
        const event = draft(contracts.echoed, { text });
        await notes.create(cause, { _id: `echo-${id}`, state: { text }, event }, { session });
      },
    });
    const events = world.replica({ handlers: [handler] });
    const notes = events.collection<Note>('notes', { thing: 'note' });
    await events.start();
    await world.follow();
    const write = (text: string) =>
      withProcessSpan({ id: 'e1', type: 'test.thing.done' }, { destination: 'test' }, () =>
        notes.create(testCause(), { _id: text, state: { text }, event: draft(contracts.created, { text }) }),
      );
    const echoOf = (id: string) =>
      eventually(`the echo of ${id}`, () => world.events().find(({ causationid }) => causationid === id));
    const traceOf = (traceparent = ''): string | undefined => traceparent.split('-')[1];

    const { event: steady } = await write('steady');
    assert.equal(traceOf((await echoOf(steady.id)).traceparent), traceOf(steady.traceparent));

    const { event: flaky } = await write('flaky');
    const echo = await echoOf(flaky.id);
    const own = traceOf(flaky.traceparent);
    const further = await eventually('two further attempts', () => {
      const linked = spans.filter(({ links }) => links.some(({ context: { traceId } }) => traceId === own));
      const attempts = linked.filter(({ name }) => name.startsWith('process '));
      return attempts.length === 2 ? attempts : undefined;
    });
    const traces = further.map((span) => span.spanContext().traceId);
    assert.equal(new Set([...traces, own]).size, 3, 'each has a trace of its own');
    assert.ok(further.every(({ parentSpanContext }) => parentSpanContext === undefined));
    assert.equal(
      traceOf(echo.traceparent),
      further.find(({ attributes }) => attributes['error.type'] === undefined)?.spanContext().traceId,
    );
    assert.equal(echo.correlationid, flaky.correlationid);
  });
});
