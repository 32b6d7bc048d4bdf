import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { forEver, kafkaUntil } from './kafka-until.ts';

const hourMs = 3_600_000;
const from = new Date('2026-01-01T00:00:00.000Z');
const hoursWith = async (settings: Record<string, string>): Promise<number> => {
  const kafka = { topicSettings: () => Promise.resolve(new Map(Object.entries(settings))) };
  return ((await kafkaUntil(kafka, 'causeway.user', from)).getTime() - from.getTime()) / hourMs;
};

describe('when Kafka has dropped what a topic holds', () => {
  const ours = { 'cleanup.policy': 'delete', 'retention.ms': String(168 * hourMs), 'segment.ms': String(23 * hourMs) };

  it('follows from what is set on it: the retention, a whole segment, and an hour to notice', async () => {
    assert.equal(await hoursWith(ours), 192);
    assert.equal(await hoursWith({ ...ours, 'retention.ms': String(720 * hourMs) }), 744);
    assert.equal(await hoursWith({ ...ours, 'segment.ms': String(168 * hourMs) }), 337);
    assert.equal(await hoursWith({ ...ours, 'cleanup.policy': 'compact,delete' }), 192);
    assert.equal(await hoursWith({}), 337, 'as Kafka has it where nobody says');
  });

  it('is never where the topic keeps for ever, and says so by a date', async () => {
    const never = (forEver.getTime() - from.getTime()) / hourMs;
    assert.equal(await hoursWith({ ...ours, 'retention.ms': '-1' }), never);
    assert.equal(await hoursWith({ ...ours, 'cleanup.policy': 'compact' }), never);
    assert.equal(await hoursWith({ ...ours, 'retention.ms': '9223372036854775807' }), never);
  });
});
