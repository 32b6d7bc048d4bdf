import { newEventId, toSequence, topicOf, type EventEnvelope } from '@causeway/contracts';
import { startTelemetry } from '@causeway/telemetry';
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { toBinary } from '../envelope/binary-mode.ts';
import type { Events } from '../events.ts';
import { draft } from '../recording/recorded-document.ts';
import { slotOf } from '../relay/slot.ts';
import { readMetrics } from '../testing/read-metrics.ts';
import { eventually, noteEvents, openWorld, testCause, type Note, type TestWorld } from '../testing/test-events.ts';
import { onEvent } from './handler.ts';
import type { HandledRow } from './inbox.ts';

const telemetry = startTelemetry({ service: 'test', version: '0', sampleRatio: 0 });

describe('a type that no contract here knows', () => {
  let world: TestWorld;
  let events: Events;
  let sample: EventEnvelope;
  let foreign: string;
  before(async () => {
    world = await openWorld();
    foreign = `${world.service}x`;
    const handler = onEvent.transaction({
      name: 'note',
      on: [noteEvents(world.service).created, noteEvents(foreign).created],
      handle: () => Promise.resolve(),
    });
    events = world.replica({ handlers: [handler] });
    const notes = events.collection<Note>('notes', { thing: 'note' });
    await events.start();
    const event = draft(noteEvents(world.service).created, { text: 'x' });
    ({ event: sample } = await notes.create(testCause(), { _id: 'sample', state: { text: 'x' }, event }));
  });
  after(async () => {
    await world.kafka.deleteTopics([topicOf(foreign)]);
    await world.end();
  });

  const rows = () => events.db.collection<HandledRow>('handled');
  const send = async (service: string, event: EventEnvelope): Promise<void> => {
    const producer = await world.kafka.producer();
    await producer.send([{ topic: topicOf(service), partition: slotOf(event.subject, 4), ...toBinary(event) }]);
    await producer.close();
  };
  /** Of the other service, as a newer release of it would record them. */
  const of = (thing: string, version = 1): EventEnvelope => {
    const type = `${foreign}.note.${thing}`;
    const dataschema = `urn:causeway:contract:${type}:${version}`;
    const common = { source: `/causeway/${foreign}`, subject: `note/${newEventId()}` };
    return { ...sample, ...common, id: newEventId(), type, dataschema };
  };
  const passedOver = async (service: string, contract: string): Promise<number | undefined> =>
    readMetrics(await telemetry.metricsText()).value('causeway_consumer_passed_over_total', {
      messaging_destination_name: topicOf(service),
      contract,
    });

  it('is passed over, and counted: nothing is parked, and what is behind it goes on', async () => {
    assert.equal(await passedOver(foreign, 'unknown'), 0);
    const unknown = [of('archived'), of('archived'), of('pinned')];
    for (const event of unknown) await send(foreign, event);
    const own = { ...sample, id: newEventId(), type: `${world.service}.note.archived` };
    await send(world.service, own);
    await eventually('all of them', async () => ((await passedOver(foreign, 'unknown')) === 3 ? true : undefined));
    await eventually('its own', async () => ((await passedOver(world.service, 'known')) === 1 ? true : undefined));
    for (const { subject } of unknown) {
      const next = { ...of('created'), subject, sequence: toSequence(2) };
      await send(foreign, next);
      await eventually('the next one', async () => (await rows().findOne({ '_id.event': next.id })) ?? undefined);
    }
    const ids = [...unknown, own].map(({ id }) => id);
    assert.equal(await rows().countDocuments({ $or: [{ '_id.event': { $in: ids } }, { status: 'parked' }] }), 0);
  });

  it('is another matter than a version that is not known of a type that is: that is parked', async () => {
    const newer = of('created', 2);
    await send(foreign, newer);
    const row = await eventually('its row', async () => (await rows().findOne({ '_id.event': newer.id })) ?? undefined);
    assert.deepEqual([row.status, row.error?.name], ['parked', 'ContractViolation']);
  });
});
