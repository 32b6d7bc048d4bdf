import { handlersTopic } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import type { Events } from '../events.ts';
import { eventually, noteEvents, openWorld, type TestWorld } from '../testing/test-events.ts';
import { followHandlers, retireHandler, type HandlerRegistry } from './handler-registry.ts';
import { onEvent, type Handler } from './handler.ts';
import { UnreadableHandler } from './registered-handler.ts';

void describe('the topic of handlers', () => {
  let world: TestWorld;
  let registry: HandlerRegistry;
  const errors: Error[] = [];

  before(async () => {
    world = await openWorld('platformatic');
  });
  after(() => world.end());

  const handle = () => Promise.resolve();
  const entryOf = (handler: string) =>
    registry.all().find((each) => each.service === world.service && each.handler === handler);
  const started = async (...handlers: Handler[]): Promise<Events> => {
    const events = world.replica({ handlers });
    await events.start();
    return events;
  };
  const follow = async (): Promise<void> => {
    registry = await followHandlers(world.kafka, (error) => void errors.push(error));
    await eventually('the registry', () => registry.ready || undefined);
  };

  it('is followed past what is no entry of a handler', async () => {
    const contracts = noteEvents(world.service);
    const first = await started(onEvent.transaction({ name: 'first', on: [contracts.created], handle }));
    const producer = await world.kafka.producer();
    const key = Buffer.from(`${world.service}/first`);
    for (const value of ['no JSON', '7', JSON.stringify({ service: world.service, handler: 'first' })]) {
      await producer.send([{ topic: handlersTopic, partition: 0, key, value: Buffer.from(value), headers: {} }]);
    }
    await producer.close();
    await follow();
    try {
      const told = errors.filter((error) => error instanceof UnreadableHandler);
      assert.ok(told.length >= 3, `${errors.length} errors were told`);
      assert.match(told[0]?.message ?? '', /causeway\.handlers.*offset/);
      assert.deepEqual(entryOf('first')?.types, [contracts.created.type], 'what was known of it stays');
      const second = await started(onEvent.transaction({ name: 'second', on: [contracts.created], handle }));
      await eventually('the next one', () => entryOf('second'));
      await second.stop();
    } finally {
      await registry.close();
      await first.stop();
    }
  });

  it('says of a type that a handler was given later since when, and nothing of one that was retired', async () => {
    const { created, updated } = noteEvents(world.service);
    const before = new Date().toISOString();
    await (await started(onEvent.transaction({ name: 'grows', on: [created], handle }))).stop();
    const between = new Date().toISOString();
    await (await started(onEvent.transaction({ name: 'grows', on: [created, updated], handle }))).stop();
    // Once more: it is not given to it anew.
    const given = new Date().toISOString();
    await (await started(onEvent.transaction({ name: 'grows', on: [created, updated], handle }))).stop();
    await follow();
    try {
      const answers = (type: string, time: string) =>
        registry
          .handlersOf({ type, time })
          .some(({ service, handler }) => service === world.service && handler === 'grows');
      assert.ok(!answers(created.type, before));
      assert.ok(answers(created.type, between));
      assert.ok(!answers(updated.type, between));
      assert.ok(answers(updated.type, given));
      await retireHandler(world.kafka, world.service, 'grows');
      await eventually('its end', () => entryOf('grows') === undefined || undefined);
      assert.ok(!answers(created.type, given));
    } finally {
      await registry.close();
    }
  });
});
