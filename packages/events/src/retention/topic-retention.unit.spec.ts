import { startTelemetry } from '@causeway/telemetry';
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';

import { readMetrics } from '../testing/read-metrics.ts';
import { retentionPeriods } from './retention-periods.ts';
import { watchTopicRetention } from './topic-retention.ts';

const telemetry = startTelemetry({ service: 'test', version: '0', sampleRatio: 0 });
const daySeconds = 24 * 3_600;
const days = (count: number): string => String(count * daySeconds * 1_000);

/** Until something is so; what is waited for here takes no I/O. */
const until = async (what: string, holds: () => Promise<boolean> | boolean): Promise<void> => {
  const deadline = performance.now() + 60_000;
  while (!(await holds())) {
    assert.ok(performance.now() < deadline, `in vain for ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
};

describe('how long topics keep events', () => {
  let end: (() => void) | undefined;
  afterEach(() => end?.());

  const watched = (settings: Record<string, Record<string, string> | undefined>, everyMs?: number) => {
    const told: { topic: string; text: string; keptDays?: number; logDays?: number }[] = [];
    let looks = 0;
    const kafka = {
      topicSettings(topic: string) {
        looks += 1;
        const own = settings[topic];
        // As where a broker has it forbidden.
        return own === undefined
          ? Promise.reject(new Error('it may not be asked'))
          : Promise.resolve(new Map(Object.entries(own)));
      },
    };
    const logger = {
      warn: (about: object, text?: string) => void told.push({ topic: '', ...about, text: text ?? '' }),
      debug: () => undefined,
    };
    const topics = Object.keys(settings);
    end = watchTopicRetention({ kafka, topics, periods: retentionPeriods(35), everyMs, logger });
    return { told, looks: () => looks };
  };
  const excessOf = async (topic: string): Promise<number | undefined> =>
    readMetrics(await telemetry.metricsText()).value('causeway_topic_retention_excess', {
      messaging_destination_name: topic,
    });
  const ours = { 'cleanup.policy': 'delete', 'retention.ms': days(7), 'segment.ms': days(1) };

  it('is told where it is longer than what the inbox remembers, and how much', async () => {
    const { told, looks } = watched({
      'causeway.a': ours,
      'causeway.b': { ...ours, 'retention.ms': days(90) },
      'causeway.c': { ...ours, 'retention.ms': '-1' },
      'causeway.d': { ...ours, 'retention.ms': days(34) },
    });
    await until('all four', () => looks() === 4);
    await until('the last', async () => (await excessOf('causeway.d')) !== undefined);
    assert.deepEqual(
      told.map(({ topic, logDays }) => [topic, logDays]),
      [
        ['causeway.b', 35],
        ['causeway.c', 35],
      ],
    );
    assert.equal(told[0]?.keptDays, 91);
    assert.match(told[0].text, /set its retention\.ms lower, or EVENTS_RETENTION_DAYS higher/);
    // 90 days, a segment and an hour, against 36 days without one.
    assert.equal(await excessOf('causeway.b'), 55 * daySeconds + 2 * 3_600);
    assert.equal(await excessOf('causeway.a'), 0);
    assert.equal(await excessOf('causeway.d'), 0);
    assert.ok(((await excessOf('causeway.c')) ?? 0) > 1_000 * 365 * daySeconds, 'for ever');
  });

  it('is looked at again, told once for as long as it stays, and again when it comes back', async () => {
    const settings: Record<string, Record<string, string>> = { 'causeway.a': ours };
    const { told, looks } = watched(settings, 1);
    const set = async (retention: string): Promise<void> => {
      settings['causeway.a'] = { ...ours, 'retention.ms': retention };
      const before = looks();
      await until('three more looks', () => looks() > before + 3);
    };
    await set(days(7));
    assert.equal(told.length, 0);
    await set(days(40));
    assert.equal(told.length, 1);
    await set(days(7));
    assert.equal(await excessOf('causeway.a'), 0);
    await set(days(40));
    assert.equal(told.length, 2);
  });

  it('is left open where Kafka does not say', async () => {
    const longer = { ...ours, 'retention.ms': days(90) };
    const { told } = watched({ 'causeway.a': undefined, 'causeway.b': longer });
    await until('the other', async () => (await excessOf('causeway.b')) !== undefined);
    assert.equal(await excessOf('causeway.a'), undefined);
    assert.equal(told.length, 1);
  });
});
