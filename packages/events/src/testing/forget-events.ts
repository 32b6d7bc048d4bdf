import { Kafka, logLevel } from 'kafkajs';

/** Whose events Kafka is to forget, and who is to find them gone. */
export interface ForgetEventsOptions {
  readonly brokers: readonly string[];
  /** As Kafka has it. */
  readonly topic: string;
  /** A group of which nobody runs. */
  readonly groupId: string;
  /** Where the group is put: before what was forgotten (default), or behind it, as if it had handled all of it. */
  readonly groupAt?: 'beginning' | 'end';
  /** How many events the topic is to have had; they are waited for, for at most 20 s. */
  readonly count: number;
}

/** What Kafka's retention does in a week: the topic is empty, and the group stands before what it held, or behind it. */
export const forgetEvents = async ({
  brokers,
  topic,
  groupId,
  groupAt = 'beginning',
  count,
}: ForgetEventsOptions): Promise<void> => {
  const admin = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    const deadline = performance.now() + 60_000;
    for (;;) {
      const offsets = await admin.fetchTopicOffsets(topic);
      const published = offsets.reduce((sum, { high }) => sum + Number(high), 0);
      if (published >= count) {
        const filled = offsets
          .filter(({ high }) => high !== '0')
          .map(({ partition, high }) => ({ partition, offset: high }));
        await admin.deleteTopicRecords({ topic, partitions: filled });
        const partitions = groupAt === 'end' ? filled : filled.map(({ partition }) => ({ partition, offset: '0' }));
        await admin.setOffsets({ groupId, topic, partitions });
        return;
      }
      if (performance.now() > deadline) throw new Error(`${published} of ${count} events are in ${topic}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  } finally {
    await admin.disconnect();
  }
};
