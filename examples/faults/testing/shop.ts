// The service under test: orders, and the stock that they take. What is tested is what it would run with.
import { defineEvent } from '@causeway/contracts';
import { createEvents, draft, onEvent, type Events, type EventsOptions, type Handler } from '@causeway/events';
import type { RecordedCollection, RecordedDocument } from '@causeway/events';
import { z } from 'zod';

export const orderPlaced = defineEvent({
  type: 'shop.order.placed',
  version: 1,
  thing: 'order',
  description: 'Somebody has ordered something.',
  data: { article: z.string(), count: z.number().int() },
});

export const orderExtended = defineEvent({
  type: 'shop.order.extended',
  version: 1,
  thing: 'order',
  description: 'Somebody has ordered more of the same.',
  data: { article: z.string(), count: z.number().int() },
});

export const stockTaken = defineEvent({
  type: 'shop.stock.taken',
  version: 1,
  thing: 'stock',
  description: 'An order has taken its part of the stock.',
  data: { orderId: z.string(), left: z.number().int() },
});

export interface Order extends RecordedDocument {
  readonly article: string;
  readonly count: number;
}

export interface Stock extends RecordedDocument {
  readonly taken: number;
}

export interface Shop {
  readonly events: Events;
  readonly orders: RecordedCollection<Order>;
}

/** @param observe - what handlers go through; the fault suite's, or nothing */
export function createShop(
  options: Omit<EventsOptions, 'handlers' | 'partitions'>,
  observe: (handlers: readonly Handler[]) => readonly Handler[] = (handlers) => handlers,
): Shop {
  const takeStock = onEvent.transaction({
    name: 'take-stock',
    on: [orderPlaced, orderExtended],
    async handle({ subject, data }, { cause, session }) {
      const orderId = subject.slice('order/'.length);
      const state = (taken: number) => ({ taken: taken + data.count });
      const event = (taken: number) => draft(stockTaken, { orderId, left: 1_000_000 - taken - data.count });
      const change = ({ taken }: Stock) => ({ state: state(taken), event: event(taken) });
      if ((await stock.update(cause, data.article, change, { session })) !== undefined) return;
      await stock.create(cause, { _id: data.article, state: state(0), event: event(0) }, { session });
    },
  });
  const events = createEvents({ ...options, partitions: 4, handlers: observe([takeStock]) });
  const orders = events.collection<Order>('orders', { thing: 'order' });
  const stock = events.collection<Stock>('stock', { thing: 'stock' });
  return { events, orders };
}
