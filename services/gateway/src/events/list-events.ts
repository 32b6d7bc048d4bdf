import { faults, serviceOf, services as serviceNames, type EventEnvelope, type ServiceName } from '@causeway/contracts';
import { formatPlaces, type EventQuestion, type PlacedEvents } from '@causeway/service';

import { ServiceAway, type ServiceClient } from '../services/service-client.ts';
import type { AskOptions } from './find-event.ts';

/** How far the log of each service has been read, slot by slot. */
export type EventPlaces = ReadonlyMap<ServiceName, ReadonlyMap<number, number>>;

/** What is asked for. */
export interface ListQuestion {
  /** Only the person's own where somebody is not to see all: the services then look at no others. */
  readonly about: EventQuestion;
  /** Where the page before has ended. */
  readonly after: EventPlaces | undefined;
  readonly limit: number;
  /** What the caller may see: nothing else counts towards the page. */
  readonly visible: (event: EventEnvelope) => boolean;
}

/** A page of events. */
export interface EventPage {
  /** At most as many as were asked for, and fewer where they are large. */
  readonly items: readonly EventEnvelope[];
  /** Where the next page begins; undefined at the end. */
  readonly next: EventPlaces | undefined;
}

/** How often the services are asked for one page. Behind so many that are not shown it may be short, and is not the last. */
const mostRounds = 10;

/** A page ends at about so many bytes of events, or with its first. */
const pageBytes = 4 * 1_048_576;

const byId = (left: EventEnvelope, right: EventEnvelope): number => (left.id < right.id ? -1 : 1);

const sizeBytesOf = (event: EventEnvelope): number => Buffer.byteLength(JSON.stringify(event));

/** A page as it fills, from one service after the other. */
class Filling {
  readonly #client: ServiceClient;
  readonly #question: ListQuestion;
  readonly #ask: AskOptions;
  readonly #places: Map<ServiceName, Map<number, number>>;
  readonly #services: readonly ServiceName[];
  readonly #found: EventEnvelope[] = [];
  #restBytes = pageBytes;
  #restRounds = mostRounds;

  constructor(client: ServiceClient, question: ListQuestion, ask: AskOptions) {
    this.#client = client;
    this.#question = question;
    this.#ask = ask;
    const types = question.about.types?.map(serviceOf);
    // A type says who records it.
    this.#services = serviceNames.filter((each) => types === undefined || types.includes(each));
    this.#places = new Map(serviceNames.map((each) => [each, new Map(question.after?.get(each))]));
  }

  async page(): Promise<EventPage> {
    for (const service of this.#services) {
      if (await this.#isFullWith(service)) return { items: this.#found.toSorted(byId), next: this.#places };
    }
    return { items: this.#found.toSorted(byId), next: undefined };
  }

  /** @returns whether the page ends before the service has told all that it has */
  async #isFullWith(service: ServiceName): Promise<boolean> {
    for (; this.#restRounds > 0; this.#restRounds -= 1) {
      const { items, more } = await this.#next(service);
      if (!this.#take(service, items)) return true;
      if (!more) return false;
    }
    return true;
  }

  async #next(service: ServiceName): Promise<PlacedEvents> {
    const { about, limit } = this.#question;
    const { correlationId, subject, types, causedBy } = about;
    const query = {
      ...{ correlationId, subject, types: types?.join(), causedBy },
      after: formatPlaces(this.#places.get(service) ?? new Map<number, number>()),
      // One more than there is room for tells whether this page is the last.
      limit: String(limit - this.#found.length + 1),
      bytes: String(Math.max(1, this.#restBytes)),
    };
    const question = { method: 'GET', path: '/internal/events', query, ...this.#ask } as const;
    const { status, json } = await this.#client.ask(service, question);
    if (status === 400) throw faults.invalidRequest({ message: `${service} refuses to list these events` });
    if (status !== 200) throw new ServiceAway(service, `answered ${status} for a list of events`);
    return json as PlacedEvents;
  }

  /** @returns false where there was no room for one of them; the next page begins with it */
  #take(service: ServiceName, items: PlacedEvents['items']): boolean {
    for (const { slot, pos, event } of items) {
      if (this.#question.visible(event)) {
        const sizeBytes = sizeBytesOf(event);
        const fits = this.#found.length === 0 || sizeBytes <= this.#restBytes;
        if (!fits || this.#found.length === this.#question.limit) return false;
        this.#found.push(event);
        this.#restBytes -= sizeBytes;
      }
      this.#places.get(service)?.set(slot, pos);
    }
    return true;
  }
}

/**
 * The published events that are asked for and that the caller may see, of all services. They are read from the logs, slot by slot
 * and each in its order, so that what is logged late is not passed over; within a page they are in the order of their ids (UUIDv7:
 * of their time).
 *
 * @throws ServiceAway where a service did not answer: the list would have holes; Fault `invalid-request` where one refuses
 */
export const listEvents = (client: ServiceClient, question: ListQuestion, options: AskOptions): Promise<EventPage> =>
  new Filling(client, question, options).page();
