import type { Dispatcher } from 'undici';

import { Link, type LinkOptions } from './link-caller.ts';

/** How calls are spread over links. */
export interface LinkPoolOptions extends Omit<LinkOptions, 'onClose'> {
  /** What calls are made over where the service offers no links. */
  readonly plain: Pick<Dispatcher, 'dispatch'>;
}

/** Makes calls whose answers stream for long. */
export interface LinkPool {
  /** As a dispatcher's: the answer streams to the handler, whatever it comes over. */
  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean;
  /** Ends all of them. */
  close(): Promise<void>;
}

/** Each link is to one replica of the service. With more calls, or after a while, another one is opened, which may be to another replica. */
const mostCallsOfLink = 1_000;
const oldestLinkMs = 300_000;
/** Until a service that offered no links is asked for one again: it may have been replaced by a newer version. */
const plainMs = 30_000;

/** Makes calls over links to a service; over connections of their own, where it offers none. */
export function createLinkPool({ plain, ...options }: LinkPoolOptions): LinkPool {
  const links = new Set<Link>();
  let current: Link | undefined;
  let plainUntil = 0;

  const currentLink = (): Link => {
    if (current?.isOpen === true && current.taken < mostCallsOfLink && current.ageMs < oldestLinkMs) return current;
    current?.retire();
    const link = new Link({ ...options, onClose: () => links.delete(link) });
    links.add(link);
    current = link;
    return link;
  };

  return {
    dispatch(call, handler) {
      if (performance.now() < plainUntil) return plain.dispatch(call, handler);
      return currentLink().dispatch(call, handler, () => {
        plainUntil = performance.now() + plainMs;
        plain.dispatch(call, handler);
      });
    },
    async close() {
      await Promise.all([...links].map((link) => link.close()));
    },
  };
}
