import { serviceOf, services as serviceNames, type EventEnvelope, type ServiceName } from '@causeway/contracts';
import type { HandlerRegistry, RegisteredHandler } from '@causeway/events';
import type { EffectReport, EffectsReport, TimerReport } from '@causeway/service';
import type { Logger } from '@causeway/telemetry';

import { ServiceAway, type ServiceClient } from '../services/service-client.ts';
import { findEvent, type AskOptions } from './find-event.ts';

/** What one handler has done with an event. */
export interface HandlerEffect {
  readonly service: string;
  readonly handler: string;
  /** `pending` too where its service does not answer. */
  readonly status: string;
  readonly attempts: number;
  readonly at?: string;
  /** For administrators. */
  readonly error?: string;
}

/** An event that is to come. */
export interface ScheduledEvent {
  readonly timerId: string;
  readonly type: string;
  readonly deliverAt: string;
}

/** What became of an event, and of all that it caused. */
export interface Effects {
  readonly event: EventEnvelope;
  readonly handlers: readonly HandlerEffect[];
  /** What the event has announced, while it waits for its time. Once it has come it is among `caused`. */
  readonly scheduled?: ScheduledEvent;
  readonly caused: readonly Effects[];
  /** Whether every registered handler of this event, and of all below, has finished. What is to come later is not waited for. */
  readonly complete: boolean;
}

/** What the tree is made from. */
export interface EffectsOptions {
  readonly client: ServiceClient;
  readonly registry: Pick<HandlerRegistry, 'handlersOf'>;
  readonly logger: Logger;
  /** Whether errors of handlers are shown. */
  readonly withErrors: boolean;
  readonly ask: AskOptions;
}

/** An answer follows causes so far and no further; what lies beyond counts as not complete. */
const deepest = 10;
const mostEvents = 500;

const isService = (name: string): name is ServiceName => (serviceNames as readonly string[]).includes(name);

const finished = new Set(['done', 'discarded']);

type Reports = ReadonlyMap<string, EffectsReport>;

/** The service that keeps the timer which an event announced. */
const timerKeeperOf = ({ type }: EventEnvelope): ServiceName | undefined => {
  const service = serviceOf(type);
  return type === `${service}.timer.scheduled` && isService(service) ? service : undefined;
};

const scheduledBy = ({ timerId, type, deliverAt }: TimerReport): ScheduledEvent => ({ timerId, type, deliverAt });

class Tree {
  readonly #options: EffectsOptions;
  /** An event stands in the tree once, however it was reached. */
  readonly #seen = new Set<string>();

  constructor(options: EffectsOptions) {
    this.#options = options;
  }

  async of(event: EventEnvelope, depth: number): Promise<Effects> {
    this.#seen.add(event.id);
    const registered = this.#options.registry.handlersOf(event);
    const keeper = timerKeeperOf(event);
    const asked = [...registered.map(({ service }) => service), ...(keeper === undefined ? [] : [keeper])];
    const reports = await this.#reportsOf(event, new Set(asked.filter(isService)));
    const handlers = registered.map((each) => this.#effectOf(each, reports.get(each.service)?.effects));
    const below = await this.#causedBy(reports, depth);
    const timer = keeper === undefined ? undefined : reports.get(keeper)?.timer;
    const waits = timer?.status === 'scheduled' ? timer : undefined;
    // What is due comes in a moment, and of a service that does not answer nobody knows.
    const open = waits?.due === true || (keeper !== undefined && !reports.has(keeper));
    const complete = handlers.every(({ status }) => finished.has(status)) && below.complete && !open;
    const scheduled = waits === undefined ? {} : { scheduled: scheduledBy(waits) };
    return { event, handlers, ...scheduled, caused: below.caused, complete };
  }

  /** By service; one that does not answer is left out. */
  async #reportsOf(event: EventEnvelope, asked: ReadonlySet<ServiceName>): Promise<Reports> {
    const { client, logger, ask } = this.#options;
    const answers = await Promise.all(
      [...asked].map(async (service): Promise<[string, EffectsReport][]> => {
        try {
          const question = { method: 'POST', path: '/internal/effects', body: event, ...ask } as const;
          const { status, json } = await client.ask(service, question);
          if (status !== 200) throw new ServiceAway(service, `answered ${status} for effects`);
          return [[service, json as EffectsReport]];
        } catch (error) {
          if (!(error instanceof ServiceAway)) throw error;
          logger.debug({ error, eventId: event.id }, 'the effects of a service are not known now');
          return [];
        }
      }),
    );
    return new Map(answers.flat());
  }

  #effectOf({ service, handler }: RegisteredHandler, reports: readonly EffectReport[] = []): HandlerEffect {
    const report = reports.find((each) => each.handler === handler);
    if (report === undefined) return { service, handler, status: 'pending', attempts: 0 };
    const { status, attempts, at, error } = report;
    return {
      service,
      handler,
      status,
      attempts,
      ...(at !== undefined && { at }),
      ...(error !== undefined && this.#options.withErrors && { error: `${error.name}: ${error.message}` }),
    };
  }

  async #causedBy(
    reports: Reports,
    depth: number,
  ): Promise<{ readonly caused: readonly Effects[]; readonly complete: boolean }> {
    const caused: Effects[] = [];
    let complete = true;
    for (const [service, { effects, timer }] of reports) {
      const settledBy = timer?.settledBy === undefined ? [] : [timer.settledBy];
      for (const id of [...effects.flatMap((each) => each.caused), ...settledBy]) {
        if (this.#seen.has(id)) continue;
        const tree = await this.#below(service, id, depth);
        if (tree === undefined) complete = false;
        else caused.push(tree);
      }
    }
    return { caused, complete: complete && caused.every((each) => each.complete) };
  }

  /** @returns undefined where it is not to be had now, or lies beyond what one answer follows */
  async #below(service: string, id: string, depth: number): Promise<Effects | undefined> {
    if (depth >= deepest || this.#seen.size >= mostEvents || !isService(service)) return undefined;
    try {
      const event = await findEvent(this.#options.client, id, this.#options.ask, service);
      return event === undefined ? undefined : await this.of(event, depth + 1);
    } catch (error) {
      if (!(error instanceof ServiceAway)) throw error;
      return undefined;
    }
  }
}

/**
 * Follows an event through its handlers and all that they caused. Which handlers there are says the registry, not the services
 * that happen to answer: a handler of a service that is down is pending, and the answer not complete.
 *
 * @param event - at the top
 * @param options - registry and services
 */
export const effectsOf = (event: EventEnvelope, options: EffectsOptions): Promise<Effects> =>
  new Tree(options).of(event, 0);
