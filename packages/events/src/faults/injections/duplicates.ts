import { topicOf } from '@causeway/contracts';

import type { Fault, FaultContext } from '../fault.ts';
import type { FetchedRecord, KafkaRecord } from '../../kafka/port.ts';

const percent = 10;
const readyMs = 60_000;

/** Follows a topic and sends a tenth of its records once more, as a relay does that has lost its lease and does not know it. */
const duplicate = async (
  { kafka, random, duplicated }: FaultContext,
  service: string,
): Promise<{ close(): Promise<void> }> => {
  const producer = await kafka.producer();
  const own = random.fork();
  const sent = new Set<string>();
  const reader = await kafka.readAll(topicOf(service), {
    from: 'beginning',
    async onRecord({ topic, partition, key, value, headers }: FetchedRecord) {
      const id = headers.ce_id ?? '';
      // What was sent twice is not sent a third time, and so for ever.
      if (sent.has(id) || !own.chance(percent)) return;
      sent.add(id);
      const record: KafkaRecord = { topic, partition, key, value, headers };
      await producer.send([record]);
      duplicated(1);
    },
    onCaughtUp: () => undefined,
  });
  return {
    async close() {
      await reader.close();
      await producer.close();
    },
  };
};

/** Every consumer is given events again: a tenth of each topic twice, and then all of it, from the beginning. */
export const duplicates: Fault = {
  name: 'duplicates',
  about: `${percent} % of the records twice, and one service's offsets forgotten`,
  async inject(context) {
    const { fleet, random, progress, forgetOffsets, short, note } = context;
    const running = await Promise.all(fleet.services.map((service) => duplicate(context, service)));
    await progress(short ? 30 : 200);
    await Promise.all(running.map((each) => each.close()));
    const service = random.pick(fleet.services);
    await Promise.all(fleet.of(service).map((each) => each.stop('leave')));
    await forgetOffsets(service);
    for (const each of fleet.of(service)) each.start();
    note(`offsets of ${service} forgotten`);
    await fleet.untilReady(readyMs);
    await progress(short ? 10 : 50);
  },
  async heal({ fleet }) {
    for (const each of fleet.replicas) each.start();
    await fleet.untilReady(readyMs);
  },
};
