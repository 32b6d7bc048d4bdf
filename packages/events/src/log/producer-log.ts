import type { EventEnvelope } from '@causeway/contracts';

import type { EventLog } from './event-log.ts';
import type { ExtentQuestion, LogExtent } from './log-extent.ts';

/** An event, and where the log of its service has it. */
export interface PlacedEvent {
  readonly slot: number;
  readonly pos: number;
  readonly event: EventEnvelope;
}

/** The log of the service that owns a topic. A slot of it is a partition of the topic. */
export interface ProducerLog {
  /** Events of a slot behind one of them, in order: for a consumer that Kafka's retention has overtaken. None only at the end. */
  after(from: {
    readonly slot: number;
    readonly afterEvent: string | undefined;
    readonly limit: number;
  }): Promise<readonly EventEnvelope[]>;
  /** Events of a slot from a position on, in order; none only at the end. */
  read(from: { readonly slot: number; readonly from: number; readonly limit: number }): Promise<readonly PlacedEvent[]>;
  /** Where a part of a slot lies. */
  extent(question: ExtentQuestion): Promise<LogExtent>;
}

/** Finds the log behind a topic; undefined where there is no way to it. */
export type ProducerLogs = (topic: string) => ProducerLog | undefined;

/** There is no way to the log behind a topic: a setting, which no waiting changes. */
export class NoWayToLog extends Error {
  override readonly name = 'NoWayToLog';
  readonly topic: string;

  constructor(topic: string) {
    super(`no way to the log behind ${topic} was given`);
    this.topic = topic;
  }
}

/** The log of this service itself. */
export const ownProducerLog = (log: EventLog): ProducerLog => ({
  async after({ slot, afterEvent, limit }) {
    const from = afterEvent === undefined ? 1 : await log.positionAfter(afterEvent);
    return (await log.read(slot, from, limit)).map(({ event }) => event);
  },
  read: ({ slot, from, limit }) => log.read(slot, from, limit),
  extent: (question) => log.extent(question),
});

/**
 * The logs that a service can read: those that it was given, and its own.
 *
 * @param topic - the service's own
 * @returns finds a log. @throws {@link NoWayToLog}
 */
export const reachableLogs =
  (given: ProducerLogs | undefined, topic: string, own: ProducerLog): ((topic: string) => ProducerLog) =>
  (wanted) => {
    const log = given?.(wanted) ?? (wanted === topic ? own : undefined);
    if (log === undefined) throw new NoWayToLog(wanted);
    return log;
  };
