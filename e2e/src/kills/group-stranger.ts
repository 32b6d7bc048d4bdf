import assert from 'node:assert/strict';
import { topicOf } from '@causeway/contracts';
import { createKafka } from '@causeway/events';
import { createLogger } from '@causeway/telemetry';
import { eventually } from '../harness/eventually.ts';
import { addressOf } from '../harness/platform.ts';
import { recoveryMs } from './survives.ts';

/** Members of services' groups that are none of theirs: they get partitions, handle nothing, and commit nothing. */
export interface GroupStranger {
  /** How many partitions were taken from the services. */
  readonly taken: () => number;
  /** Gives them back; as often as one likes. */
  readonly leave: () => Promise<void>;
}

/** Joins the groups of services, and resolves once each has been shared out anew. */
export async function joinGroupsOf(services: readonly string[]): Promise<GroupStranger> {
  const logger = createLogger({ service: 'e2e-stranger', level: 'silent' });
  const brokers = addressOf('kafka').split(',');
  const kafka = createKafka({ driver: 'platformatic', brokers, clientId: 'e2e-stranger', logger });
  const members: Awaited<ReturnType<typeof kafka.groupConsumer>>[] = [];
  const leave = async (): Promise<void> => {
    for (const member of members) await member.close();
    await kafka.close();
  };
  const count = (): number => members.reduce((sum, { assigned }) => sum + assigned.length, 0);
  try {
    for (const service of services) {
      members.push(
        await kafka.groupConsumer({
          groupId: `causeway-${service}`,
          topics: [topicOf('auth')],
          onAssigned: () => Promise.resolve([]),
          onRevoked: () => Promise.resolve(),
          // Handled by nobody as long as they are ours.
          onRecords: () => Promise.resolve(),
          onOutOfRange: (_topic, _partition, _wanted, earliest) => Promise.resolve(earliest),
          onError: () => undefined,
        }),
      );
    }
    const takeAll = (): void =>
      assert.ok(
        members.every(({ assigned }) => assigned.length > 0),
        'a group that was joined has not been shared out anew',
      );
    await eventually(takeAll, { withinMs: recoveryMs });
  } catch (error) {
    await leave();
    throw error;
  }
  const taken = count();
  return { taken: () => taken, leave };
}
