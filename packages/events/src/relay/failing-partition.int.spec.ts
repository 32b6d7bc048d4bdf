import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';

import { KafkaSendError } from '../kafka/errors.ts';
import type { KafkaPort } from '../kafka/port.ts';
import { draft } from '../recording/recorded-document.ts';
import { isolatedKafka } from '../testing/isolated-kafka.ts';
import { eventually, noteEvents, openWorld, testCause, type Note, type TestWorld } from '../testing/test-events.ts';
import { slotOf } from './slot.ts';

/** A partition that has no leader, for whoever sends to it; the others are as they were. */
const leaderless = (kafka: KafkaPort, broken: () => number | undefined): KafkaPort => ({
  ...isolatedKafka(kafka, ''),
  async producer(options) {
    const real = await kafka.producer(options);
    return {
      close: () => real.close(),
      async send(records) {
        const failed = records.filter(({ partition }) => partition === broken());
        const rest = records.filter(({ partition }) => partition !== broken());
        const written = rest.length === 0 ? [] : await real.send(rest);
        if (failed.length === 0) return written;
        throw new KafkaSendError('the partition has no leader', true, { failed, written });
      },
    };
  },
});

describe('a partition without a leader', () => {
  let world: TestWorld;
  beforeEach(async () => {
    world = await openWorld();
  });
  afterEach(() => world.end());

  it('holds back its own events, however many, and nobody else’s; with a leader all of them come, in order', async () => {
    const contracts = noteEvents(world.service);
    let broken: number | undefined = 0;
    const events = world.replica({ kafka: leaderless(world.kafka, () => broken), sweepMs: 500 });
    const notes = events.collection<Note>('notes', { thing: 'note' });
    await events.start();
    await world.follow();
    const idsOf = (slot: number, count: number, name: string): string[] => {
      const ids: string[] = [];
      for (let index = 0; ids.length < count; index += 1)
        if (slotOf(`note/${name}${index}`, 4) === slot) ids.push(`${name}${index}`);
      return ids;
    };
    const create = (id: string) =>
      notes.create(testCause(), { _id: id, state: { text: id }, event: draft(contracts.created, { text: id }) });
    const arrived = (): Set<string> => new Set(world.events().map(({ subject }) => subject.slice('note/'.length)));
    // Told once for all of them: this process publishes, too.
    const areThere = (ids: readonly string[]): true | undefined => {
      const there = arrived();
      return ids.every((id) => there.has(id)) ? true : undefined;
    };

    // More than a relay reads at once, before and between the others.
    const stuck = idsOf(0, 700, 'stuck');
    await Promise.all(stuck.map(create));
    const others = [1, 2, 3].flatMap((slot) => idsOf(slot, 20, `free${slot}-`));
    await Promise.all(others.map(create));
    await eventually('the others', () => areThere(others));
    const late = idsOf(1, 5, 'late');
    for (const id of late) await create(id);
    await eventually('those that come later', () => areThere(late));
    const soFar = arrived();
    assert.ok(!stuck.some((id) => soFar.has(id)));

    const [first = ''] = stuck;
    const event = draft(contracts.updated, { text: 'again' });
    await notes.update(testCause(), first, () => ({ state: { text: 'again' }, event }));
    broken = undefined;
    await eventually('what was held back', () => areThere(stuck));
    await eventually('its update', () =>
      world.events().some(({ type }) => type.endsWith('updated')) ? true : undefined,
    );
    const sequences = world.events().filter(({ subject }) => subject === `note/${first}`);
    const firsts = [...new Set(sequences.map(({ sequence }) => Number(sequence)))];
    assert.deepEqual(firsts, [1, 2]);
  });
});
