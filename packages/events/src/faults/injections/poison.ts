import { fromSequence, serviceOf, toSequence, topicOf } from '@causeway/contracts';
import { setTimeout as delay } from 'node:timers/promises';

import type { HandledRow } from '../../consumer/inbox.ts';
import { eventLog, type LoggedEvent } from '../../log/event-log.ts';
import type { Fault, FaultContext } from '../fault.ts';
import type { Poison } from '../replica/protocol.ts';
import { moveParked, type ParkedSubject } from './move-parked.ts';

const chosenMs = 30_000;
const parkedMs = 180_000;
const redriveMs = 300_000;
const readyMs = 60_000;

/** Bytes, headers and values that are none of ours, in each topic. */
const sendRubbish = async ({ kafka, random, fleet }: FaultContext): Promise<void> => {
  const producer = await kafka.producer();
  const text = (value: string): Buffer => Buffer.from(value);
  for (const service of fleet.services) {
    const topic = topicOf(service);
    const partition = random.below(await kafka.partitionCount(topic));
    await producer.send([
      { topic, partition, key: null, value: Buffer.from([0xff, 0xfe, 0x00, 0x80]), headers: {} },
      { topic, partition, key: text('account/none'), value: null, headers: { ce_id: 'no-event', ce_type: 'x.y.z' } },
      {
        topic,
        partition,
        key: text('account/none'),
        value: text('{"half":'),
        headers: { 'content-type': 'text/plain' },
      },
    ]);
  }
  await producer.close();
};

interface Choice {
  readonly consumer: string;
  readonly producer: string;
  readonly types: readonly string[];
  readonly poison: Poison;
}

/** How far back is looked for subjects of which more is to come. */
const lookedAt = 200;

/** Subjects that go on: of which a handler has had more than one event lately. */
const goingOn = async ({ db }: FaultContext, producer: string, types: readonly string[]): Promise<string[]> => {
  const log = db(producer).collection<LoggedEvent>(eventLog);
  const latest = await log
    .find({ 'event.type': { $in: [...types] } })
    .sort({ at: -1 })
    .limit(lookedAt)
    .toArray();
  const times = new Map<string, number>();
  for (const { event } of latest) times.set(event.subject, (times.get(event.subject) ?? 0) + 1);
  return [...times].filter(([, count]) => count > 1).map(([subject]) => subject);
};

type Candidate = Pick<Choice, 'consumer' | 'producer' | 'types'> & { readonly name: string };

/** Ordered handlers whose effects are transactions, one by one or in batches, and those whose events they take. */
const candidatesOf = ({ fleet }: FaultContext): Candidate[] =>
  fleet.services.flatMap((consumer) =>
    fleet
      .handlersOf(consumer)
      .filter(({ kind, order }) => (kind === 'transaction' || kind === 'batch') && order === 'ordered')
      .flatMap(({ name, types }) =>
        [...new Set(types.map(serviceOf))].map((producer) => ({ consumer, producer, name, types })),
      ),
  );

/** A handler, and a subject at whose next events it will fail; undefined while no subject has more than one event for any. */
const choose = async (context: FaultContext, choices: readonly Candidate[]): Promise<Choice | undefined> => {
  const { db, random } = context;
  for (const { consumer, producer, name, types } of random.shuffled(choices)) {
    const subjects = await goingOn(context, producer, types);
    if (subjects.length === 0) continue;
    const subject = random.pick(subjects);
    const log = db(producer).collection<LoggedEvent>(eventLog);
    const [last] = await log.find({ 'event.subject': subject }).sort({ 'event.sequence': -1 }).limit(1).toArray();
    const next = fromSequence(last?.event.sequence ?? '0') + 1;
    // At the first of these that the handler takes its subject is parked; what comes after them would pass, if it were let.
    const poison = { handler: name, subject, from: toSequence(next), to: toSequence(next + 3) };
    return { consumer, producer, types, poison };
  }
  return undefined;
};

/**
 * @returns undefined where no service has a handler that could park a subject
 * @throws Error - they have, and in all this time no subject has had two events for one
 */
const chooseInTime = async (context: FaultContext): Promise<Choice | undefined> => {
  const candidates = candidatesOf(context);
  if (candidates.length === 0) return undefined;
  const deadline = performance.now() + chosenMs;
  for (;;) {
    const choice = await choose(context, candidates);
    if (choice !== undefined) return choice;
    if (performance.now() > deadline) {
      const names = candidates.map(({ consumer, name }) => `${consumer}/${name}`).join(', ');
      throw new Error(
        `no subject has a second event for an ordered handler (${names}): have the workload change things again, or nothing can wait`,
      );
    }
    await context.progress(5);
  }
};

/**
 * Waits until something is parked, and events have followed that the handler does not fail at.
 *
 * @returns false where all that it would have failed at has passed: none of it was for this handler, or it was handled already
 * @throws Error - nothing happens
 */
const untilParked = async (context: FaultContext, choice: Choice, deadline: number): Promise<boolean> => {
  const { db, progress } = context;
  const { consumer, producer, types, poison } = choice;
  const inbox = db(consumer).collection<HandledRow>('handled');
  const log = db(producer).collection<LoggedEvent>(eventLog);
  const own = { 'event.subject': poison.subject, 'event.type': { $in: [...types] } };
  const within = { ...own, 'event.sequence': { $gte: poison.from, $lte: poison.to } };
  for (;;) {
    const parked = await inbox.countDocuments({ status: 'parked', '_id.handler': poison.handler });
    const followed = await log.countDocuments({ ...own, 'event.sequence': { $gt: poison.to } });
    if (parked > 0 && followed >= 2) return true;
    if (followed >= 2) {
      const failing = (await log.find(within, { projection: { _id: 1 } }).toArray()).map(({ _id }) => _id);
      const done = await inbox.countDocuments({
        status: 'done',
        '_id.handler': poison.handler,
        '_id.event': { $in: failing },
      });
      if (done === failing.length) return false;
    }
    if (performance.now() > deadline)
      throw new Error(
        `${consumer}/${poison.handler} has parked ${parked} events of ${poison.subject} in ${parkedMs} ms`,
      );
    await progress(5);
  }
};

/** Has a handler fail at a subject. @returns which, and where; undefined where no service has one that could park a subject */
const parkSubject = async (context: FaultContext): Promise<ParkedSubject | undefined> => {
  const deadline = performance.now() + parkedMs;
  for (;;) {
    const chosen = await chooseInTime(context);
    if (chosen === undefined) return undefined;
    const { consumer, producer, types, poison } = chosen;
    context.fleet.poison(consumer, poison);
    if (await untilParked(context, chosen, deadline))
      return { consumer, producer, types, handler: poison.handler, subject: poison.subject };
    context.fleet.poison(consumer, undefined);
  }
};

/** Has everything that is parked handled again, until nothing is. */
const redriveAll = async ({ fleet, cause, db }: FaultContext): Promise<void> => {
  const deadline = performance.now() + redriveMs;
  for (const service of fleet.services) {
    for (;;) {
      const parked = await db(service).collection<HandledRow>('handled').countDocuments({ status: 'parked' });
      if (parked === 0) break;
      if (performance.now() > deadline) throw new Error(`${parked} events of ${service} are still parked`);
      const replica = fleet.of(service).find(({ ready }) => ready);
      // One that fails is asked for again: the redrive before it may not have ended yet.
      await replica?.ask({ ask: 'redrive', cause: cause(`redrive of ${service}`) }, 60_000).catch(() => undefined);
      await delay(200);
    }
  }
};

/**
 * A handler that always fails at a subject, and bytes that are no events: parked, while all else goes on and replicas of the consumer
 * come and go; then redriven.
 */
export const poison: Fault = {
  name: 'parking',
  about: 'bad bytes in each topic, and a handler that fails at one subject: parked, moved, and redriven',
  async inject(context) {
    const { note, progress } = context;
    await sendRubbish(context);
    const parked = await parkSubject(context);
    if (parked === undefined) note('no ordered handler could park a subject: bad bytes alone');
    else {
      note(`${parked.subject} parked at ${parked.consumer}/${parked.handler}`);
      await moveParked(context, parked);
    }
    await progress(20);
  },
  async heal(context) {
    const { fleet } = context;
    for (const service of fleet.services) fleet.poison(service, undefined);
    for (const each of fleet.replicas) each.start();
    await fleet.untilReady(readyMs);
    await redriveAll(context);
  },
};
