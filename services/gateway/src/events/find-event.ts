import { services as serviceNames, type EventEnvelope, type ServiceName } from '@causeway/contracts';

import { ServiceAway, type ServiceClient } from '../services/service-client.ts';

/** How a question is asked. */
export interface AskOptions {
  readonly requestId: string;
  readonly signal?: AbortSignal | undefined;
}

const findIn = async (
  client: ServiceClient,
  service: ServiceName,
  id: string,
  options: AskOptions,
): Promise<EventEnvelope | undefined> => {
  const path = `/internal/events/${encodeURIComponent(id)}`;
  const { status, json } = await client.ask(service, { method: 'GET', path, ...options });
  if (status === 404) return undefined;
  if (status !== 200) throw new ServiceAway(service, `answered ${status} for an event`);
  return json as EventEnvelope;
};

/**
 * Finds an event by its id: in the service that is named, or whichever has recorded it.
 *
 * @param service - where it is known to be
 * @returns undefined where no service has it
 * @throws ServiceAway where none that answered has it, and one did not answer
 */
export const findEvent = async (
  client: ServiceClient,
  id: string,
  options: AskOptions,
  service?: ServiceName,
): Promise<EventEnvelope | undefined> => {
  if (service !== undefined) return findIn(client, service, id, options);
  const answers = await Promise.allSettled(serviceNames.map((each) => findIn(client, each, id, options)));
  let away: unknown;
  for (const answer of answers) {
    if (answer.status === 'rejected') away = answer.reason;
    else if (answer.value !== undefined) return answer.value;
  }
  if (away !== undefined) throw away as Error;
  return undefined;
};
