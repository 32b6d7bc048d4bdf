import { serviceOf, services as serviceNames, type EventEnvelope, type ServiceName } from '@causeway/contracts';
import type { HandlerRegistry, RegisteredHandler } from '@causeway/events';
import type { EffectReport, EffectsReport, TimerReport } from '@causeway/service';
import type { Logger } from '@causeway/telemetry';

import { ServiceAway, type ServiceClient } from '../services/service-client.ts';
import type { AskOptions } from './find-event.ts';

/** What one handler has done with an event. */
export interface HandlerEffect {
  readonly service: string;
  readonly handler: string;
  /** `pending` too where its service does not answer; {@link outside} where it is none that can be asked. */
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

/** What the tree is made from. */
export interface EffectsOptions {
  readonly client: ServiceClient;
  readonly registry: Pick<HandlerRegistry, 'handlersOf'>;
  readonly logger: Logger;
  /** Whether errors of handlers are shown. */
  readonly withErrors: boolean;
  readonly ask: AskOptions;
}

const isService = (name: string): name is ServiceName => (serviceNames as readonly string[]).includes(name);

/** The status of a handler of a service that is none of the platform's: it tells in Kafka that it is there, and nobody how far it is. */
const outside = 'outside';

/** What is not waited for, or no more. */
const settledStatus = new Set(['done', 'discarded', outside]);

/** The service that keeps the timer which an event announced. */
const timerKeeperOf = (type: string): ServiceName | undefined => {
  const service = serviceOf(type);
  return type === `${service}.timer.scheduled` && isService(service) ? service : undefined;
};

/** An event that was caused, and where it is. */
export interface Caused {
  readonly service: ServiceName;
  readonly id: string;
  /** Where the service says so. */
  readonly type?: string;
}

/** What is known of one event. */
export interface Look {
  readonly handlers: readonly HandlerEffect[];
  readonly scheduled?: ScheduledEvent | undefined;
  readonly caused: readonly Caused[];
  /** Types of which it caused more than are named. */
  readonly unnamed: readonly string[];
  /** Whether its own handlers that can be asked have finished, and nothing that it announced is due. */
  readonly settled: boolean;
}

/** Looks at single events. */
export interface Looks {
  look(event: EventEnvelope): Promise<Look>;
  /** Whether events of a type have nothing below: nobody who can be asked is answerable for them, and they announce nothing. */
  isLeaf(type: string | undefined): boolean;
}

/** Of what an event has caused, so many are named that have nothing below: no answer shows more. */
const mostLeaves = 500;

/** Asks services about single events. What is settled does not change any more, and is asked for once. */
export const createLooks = ({ client, registry, logger, withErrors, ask }: EffectsOptions): Looks => {
  const known = new Map<string, Look>();

  const isLeaf: Looks['isLeaf'] = (type) =>
    type !== undefined &&
    timerKeeperOf(type) === undefined &&
    !registry.handlersOf({ type, time: new Date().toISOString() }).some(({ service }) => isService(service));

  /** By service; one that does not answer is left out. */
  const reportsOf = async (event: EventEnvelope, asked: ReadonlySet<ServiceName>) => {
    const answers = await Promise.all(
      [...asked].map(async (service): Promise<[ServiceName, EffectsReport][]> => {
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
  };

  const effectOf = ({ service, handler }: RegisteredHandler, reports: readonly EffectReport[] = []): HandlerEffect => {
    const report = reports.find((each) => each.handler === handler);
    if (report === undefined) {
      return { service, handler, status: isService(service) ? 'pending' : outside, attempts: 0 };
    }
    const { status, attempts, at, error } = report;
    return {
      ...{ service, handler, status, attempts },
      ...(at !== undefined && { at }),
      ...(error !== undefined && withErrors && { error: `${error.name}: ${error.message}` }),
    };
  };

  const causedIn = (service: ServiceName, { effects, caused = [], timer }: EffectsReport): Caused[] => {
    const named = caused.flatMap(({ type, ids }) => ids.map((id) => ({ service, id, type })));
    const typeOf = new Map(named.map((each) => [each.id, each]));
    const settledBy = timer?.settledBy === undefined ? [] : [timer.settledBy];
    const first = [...effects.flatMap((each) => each.caused), ...settledBy];
    return [...first.map((id) => typeOf.get(id) ?? { service, id }), ...named];
  };

  /** Of those that have nothing below, no more than can be shown. */
  const bounded = (
    caused: readonly Caused[],
  ): { readonly caused: readonly Caused[]; readonly unnamed: readonly string[] } => {
    const left: Caused[] = [];
    const unnamed = new Set<string>();
    let leaves = 0;
    for (const each of caused) {
      if (!isLeaf(each.type)) left.push(each);
      else if ((leaves += 1) <= mostLeaves) left.push(each);
      else unnamed.add(each.type ?? '');
    }
    return { caused: left, unnamed: [...unnamed] };
  };

  const look: Looks['look'] = async (event) => {
    const before = known.get(event.id);
    if (before !== undefined) return before;
    const registered = registry.handlersOf(event);
    const keeper = timerKeeperOf(event.type);
    const asked = [...registered.map(({ service }) => service), ...(keeper === undefined ? [] : [keeper])];
    const reports = await reportsOf(event, new Set(asked.filter(isService)));
    const handlers = registered.map((each) => {
      const report = isService(each.service) ? reports.get(each.service) : undefined;
      return effectOf(each, report?.effects);
    });
    const timer: TimerReport | undefined = keeper === undefined ? undefined : reports.get(keeper)?.timer;
    const waits = timer?.status === 'scheduled' ? timer : undefined;
    // What is due comes in a moment, and of a service that does not answer nobody knows.
    const open = waits?.due === true || (keeper !== undefined && !reports.has(keeper));
    const { caused, unnamed } = bounded([...reports].flatMap(([service, report]) => causedIn(service, report)));
    const others = [...reports.values()].flatMap(({ caused: told = [] }) => told.filter(({ more }) => more));
    const found: Look = {
      handlers,
      scheduled: waits && { timerId: waits.timerId, type: waits.type, deliverAt: waits.deliverAt },
      caused,
      unnamed: [...unnamed, ...others.map(({ type }) => type)],
      settled: handlers.every(({ status }) => settledStatus.has(status)) && !open,
    };
    if (found.settled && waits === undefined) known.set(event.id, found);
    return found;
  };

  return { look, isLeaf };
};
