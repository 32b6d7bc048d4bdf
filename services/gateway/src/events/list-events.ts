import { services as serviceNames, type EventEnvelope } from '@causeway/contracts';

import { ServiceAway, type ServiceClient } from '../services/service-client.ts';
import type { AskOptions } from './find-event.ts';

/** What is asked for. */
export interface ListQuestion {
  readonly correlationId: string;
  /** The id of the last event that was seen. */
  readonly after: string | undefined;
  readonly limit: number;
}

const byId = (left: EventEnvelope, right: EventEnvelope): number => (left.id < right.id ? -1 : 1);

/**
 * The published events of one correlation id, of all services, in the order of their ids (UUIDv7: of their time).
 *
 * @returns at most `limit`, and whether there are more
 * @throws ServiceAway where a service did not answer: the list would have holes
 */
export const listEvents = async (
  client: ServiceClient,
  { correlationId, after, limit }: ListQuestion,
  options: AskOptions,
): Promise<{ readonly items: readonly EventEnvelope[]; readonly more: boolean }> => {
  const query = { correlationId, after, limit: String(limit + 1) };
  const answers = await Promise.all(
    serviceNames.map(async (service) => {
      const question = { method: 'GET', path: '/internal/events', query, ...options } as const;
      const { status, json } = await client.ask(service, question);
      if (status !== 200) throw new ServiceAway(service, `answered ${status} for a list of events`);
      return (json as { readonly items: readonly EventEnvelope[] }).items;
    }),
  );
  const sorted = answers.flat().sort(byId);
  return { items: sorted.slice(0, limit), more: sorted.length > limit };
};
