// One replica of the shop, in a process of its own: the suite starts it, sends it commands, and kills it.
import { draft } from '@causeway/events';
import { serveReplica } from '@causeway/events/faults';
import { createShop, orderPlaced } from './shop.ts';

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
    },
  };
});
