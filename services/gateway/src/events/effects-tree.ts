import type { EventEnvelope } from '@causeway/contracts';

import { ServiceAway } from '../services/service-client.ts';
import {
  createLooks,
  type Caused,
  type EffectsOptions,
  type HandlerEffect,
  type Look,
  type ScheduledEvent,
} from './effects-look.ts';
import { findEvent } from './find-event.ts';

/** What became of an event, and of all that it caused. */
export interface Effects {
  readonly event: EventEnvelope;
  readonly handlers: readonly HandlerEffect[];
  /** What the event has announced, while it waits for its time. Once it has come it is among `caused`. */
  readonly scheduled?: ScheduledEvent;
  readonly caused: readonly Effects[];
  /**
   * Whether every registered handler of this event, and of all below, has finished. What is to come later is not waited for, nor whoever
   * cannot be asked.
   */
  readonly complete: boolean;
  /** Whether events are left out, here or below: there was no room for more. They count for `complete` all the same. */
  readonly cut?: true;
}

/** What an answer shows, nearest to the top first: events, and bytes of them as JSON. */
export const most = { events: 500, bytes: 4 * 1024 * 1024 } as const;
/** Events whose handlers are asked about for one answer; what lies beyond counts as not complete. */
const mostFollowed = 5_000;
/** Events that are looked at side by side. */
const together = 8;

/** An event on the way down. */
interface Node {
  /** Absent at the top. */
  readonly caused?: Caused;
  readonly parent?: Node;
  readonly children: Node[];
  /** Where it is shown. What is not shown is not kept. */
  event?: EventEnvelope;
  look?: Pick<Look, 'handlers' | 'scheduled'>;
  complete: boolean;
  cut: boolean;
}

/** What one answer has room for. */
class Room {
  #events = 0;
  #bytes = 0;

  get left(): boolean {
    return this.#events < most.events && this.#bytes < most.bytes;
  }

  take(event: EventEnvelope): boolean {
    this.#events += 1;
    this.#bytes += Buffer.byteLength(JSON.stringify(event));
    return this.#events <= most.events && this.#bytes <= most.bytes;
  }
}

/** What is shown of a node and of all below. */
const shown = (event: EventEnvelope, { look, children, complete, cut }: Node): Effects => ({
  event,
  handlers: look?.handlers ?? [],
  ...(look?.scheduled && { scheduled: look.scheduled }),
  caused: children.flatMap((each) => (each.event === undefined ? [] : [shown(each.event, each)])),
  complete,
  ...(cut && { cut }),
});

/**
 * Follows an event through its handlers and all that they caused. Which handlers there are says the registry, not the services
 * that happen to answer: a handler of a service that is down is pending, and the answer not complete. Level by level, however deep: what
 * is shown has a bound, and what is not shown is followed on, since `complete` is about all of it. An event of a type that nobody
 * handles has nothing below, and is not even fetched where there is no room to show it.
 *
 * @param event - at the top
 * @param options - registry and services
 * @returns looks anew, each time that it is called
 */
export const followEffects = (event: EventEnvelope, options: EffectsOptions): (() => Promise<Effects>) => {
  const { client, ask } = options;
  const { look, isLeaf } = createLooks(options);

  const fetch = async ({ service, id }: Caused): Promise<EventEnvelope | undefined> => {
    try {
      return await findEvent(client, id, ask, service);
    } catch (error) {
      if (!(error instanceof ServiceAway)) throw error;
      return undefined;
    }
  };

  return async () => {
    const room = new Room();
    /** An event stands in the tree once, however it was reached. */
    const seen = new Set([event.id]);
    let followed = 1;

    const mayShow = ({ parent }: Node): boolean => room.left && (parent === undefined || parent.event !== undefined);

    /** @returns undefined where there is nothing to look at: it was not found, or has nothing below and no room */
    const reach = async (node: Node): Promise<EventEnvelope | undefined> => {
      const { caused, parent } = node;
      if (caused === undefined) return event;
      if (isLeaf(caused.type)) {
        if (mayShow(node)) return fetch(caused);
      } else if (followed < mostFollowed) {
        followed += 1;
        return fetch(caused);
      }
      if (parent !== undefined) parent.cut = true;
      return undefined;
    };

    const lookAt = async (node: Node, found: EventEnvelope): Promise<void> => {
      const { handlers, scheduled, caused, unnamed, settled } = await look(found);
      if (node.event !== undefined) node.look = { handlers, scheduled };
      node.complete = settled && unnamed.every(isLeaf);
      node.cut = unnamed.length > 0;
      for (const each of caused) {
        if (seen.has(each.id)) continue;
        seen.add(each.id);
        node.children.push({ caused: each, parent: node, children: [], complete: isLeaf(each.type), cut: false });
      }
    };

    const visit = async (nodes: readonly Node[]): Promise<void> => {
      const found = await Promise.all(nodes.map(reach));
      // One after the other: who comes first has the room.
      for (const [index, node] of nodes.entries()) {
        const reached = found[index];
        if (reached === undefined) continue;
        if (mayShow(node) && room.take(reached)) node.event = reached;
        else if (node.parent !== undefined) node.parent.cut = true;
      }
      await Promise.all(
        nodes.map(async (node, index) => {
          const reached = found[index];
          if (reached !== undefined) await lookAt(node, reached);
        }),
      );
    };

    const top: Node = { children: [], complete: false, cut: false };
    const all = [top];
    for (let level = [top]; level.length > 0; level = level.flatMap(({ children }) => children)) {
      for (let index = 0; index < level.length; index += together) await visit(level.slice(index, index + together));
      for (const { children } of level) all.push(...children);
    }
    // From the last level up: whatever is below a node stands behind it.
    for (const node of all.reverse()) {
      node.complete &&= node.children.every(({ complete }) => complete);
      node.cut ||= node.children.some(({ cut }) => cut);
    }
    return shown(event, top);
  };
};
