// One replica of the shop, in a process of its own: the suite starts it, sends it commands, and kills it.
import { draft } from '@causeway/events';
import { serveReplica } from '@causeway/events/faults';
import { createShop, orderExtended, orderPlaced } from './shop.ts';

await serveReplica(({ options, observe }) => {
  const { events, orders } = createShop(options, observe);
  return {
    events,
    commands: {
      async order(cause, args) {
        const { _id, article, count } = args as { _id: string; article: string; count: number };
        const data = { article, count };
        return [(await orders.create(cause, { _id, state: data, event: draft(orderPlaced, data) })).event];
      },
      async extend(cause, args) {
        const { _id, more } = args as { _id: string; more: number };
        const written = await orders.update(cause, _id, ({ article, count }) => ({
          state: { article, count: count + more },
          event: draft(orderExtended, { article, count: more }),
        }));
        // An order that was never placed cannot be extended: then there is no event.
        return written?.event === undefined ? [] : [written.event];
      },
    },
  };
});
