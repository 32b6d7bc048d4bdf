import { serviceOf, topicOf } from '@causeway/contracts';
import type { Db } from 'mongodb';
import { setTimeout as delay } from 'node:timers/promises';

import type { KafkaPort } from '../../kafka/port.ts';
import { eventLog } from '../../log/event-log.ts';
import { redrives, type RedriveDocument } from '../../redrive/redrive.model.ts';
import { timers, type TimerDocument } from '../../timers/timer.model.ts';
import type { Fleet } from '../fleet.ts';
import { recordedCollections } from './read-history.ts';

/** Where it is looked. */
export interface QuiescenceSources {
  readonly fleet: Fleet;
  readonly db: (service: string) => Db;
  readonly kafka: KafkaPort;
}

const pollMs = 150;

/** A rebalance, or a lease that changes hands, may make everything look at rest for a moment. */
const restMs = 400;

/** A timer that is due by then is waited for. */
const soonMs = 10_000;

/** Why a service is not at rest; undefined where it is. */
const unrest = async (service: string, { fleet, db, kafka }: QuiescenceSources): Promise<string | undefined> => {
  const own = db(service);
  for (const name of await recordedCollections(own)) {
    const carrying = { 'outbox.id': { $exists: true } };
    const row = await own.collection(name).findOne(carrying, { projection: { _id: 1 } });
    if (row !== null) return `${service}/${name}/${String(row._id)} carries events that are not published`;
  }
  const running = await own.collection<RedriveDocument>(redrives).findOne({ status: 'running' });
  if (running !== null) return `a redrive of ${service}/${running.handler} is under way`;
  const due = { $lte: ['$dueAt', { $dateAdd: { startDate: '$$NOW', unit: 'millisecond', amount: soonMs } }] };
  const timer = await own.collection<TimerDocument>(timers).findOne({ status: 'scheduled', $expr: due });
  if (timer !== null) return `the timer ${timer._id} of ${service} waits for ${timer.dueAt.toISOString()}`;
  const topics = new Set(
    fleet.handlersOf(service).flatMap(({ types }) => types.map((type) => topicOf(serviceOf(type)))),
  );
  if (topics.size === 0) return undefined;
  for (const [topic, partitions] of await kafka.consumerLag(`causeway-${service}`, [...topics])) {
    for (const [partition, lag] of partitions) {
      if (lag > 0n) return `${service} is ${lag} records behind in ${topic}/${partition}`;
    }
  }
  return undefined;
};

/** Waits until nothing is under way any more: outboxes are empty, everything is read, and no new events come. */
export const untilQuiescent = async (
  sources: QuiescenceSources,
  withinMs: number,
): Promise<{ readonly tookMs: number; readonly left: string | undefined }> => {
  const { fleet, db } = sources;
  const began = performance.now();
  let quietSince: number | undefined;
  let known = -1;
  for (;;) {
    let left: string | undefined;
    let events = 0;
    try {
      for (const service of fleet.services) {
        left ??= await unrest(service, sources);
        events += await db(service).collection(eventLog).countDocuments();
      }
    } catch (error) {
      left = error instanceof Error ? error.message : String(error);
    }
    const now = performance.now();
    if (left !== undefined || events !== known) quietSince = undefined;
    if (left === undefined) quietSince ??= now;
    known = events;
    if (quietSince !== undefined && now - quietSince >= restMs) return { tookMs: quietSince - began, left: undefined };
    if (now - began > withinMs) return { tookMs: now - began, left: left ?? 'new events keep coming' };
    await delay(pollMs);
  }
};
