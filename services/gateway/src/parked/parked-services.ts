import { faults, services as serviceNames, type Fault, type ServiceName } from '@causeway/contracts';
import { redriveFaults, type ParkedEvent, type Redrive } from '@causeway/events';

import { ServiceAway, type Question, type ServiceClient } from '../services/service-client.ts';
import type { AskOptions } from '../events/find-event.ts';

/** A parked event, and where. */
export type ParkedAt = ParkedEvent & { readonly service: ServiceName };

/** Where a page of parked events begins: after one of them. */
export interface ParkedAfter {
  readonly service: ServiceName;
  readonly handler: string;
  readonly subject: string;
  readonly sequence: string;
  readonly eventId: string;
}

/** What is listed. */
export interface ParkedQuestion {
  readonly service: ServiceName | undefined;
  readonly handler: string | undefined;
  readonly after: ParkedAfter | undefined;
  readonly limit: number;
}

const known: ReadonlyMap<string, () => Fault> = new Map(
  Object.values(redriveFaults).map((make) => [make.declaration.code, () => make()]),
);

/**
 * Asks a service about what is parked there.
 *
 * @returns undefined where it has nothing of the kind
 * @throws Fault as the service says it; ServiceAway where it does not answer
 */
const ask = async (client: ServiceClient, service: ServiceName, question: Question): Promise<unknown> => {
  const { status, json } = await client.ask(service, question);
  if (status < 300) return json;
  if (status === 404) return undefined;
  const fault = known.get(String((json as { readonly code?: unknown } | undefined)?.code));
  if (fault !== undefined) throw fault();
  throw new ServiceAway(service, `answered ${status} about what is parked`);
};

/** The parked events of all services, service by service; one more than asked for tells that there is more. */
export const listParked = async (
  client: ServiceClient,
  { service, handler, after, limit }: ParkedQuestion,
  options: AskOptions,
): Promise<readonly ParkedAt[]> => {
  const found: ParkedAt[] = [];
  const from = after === undefined ? 0 : serviceNames.indexOf(after.service);
  for (const each of serviceNames.slice(from)) {
    if (service !== undefined && service !== each) continue;
    if (found.length > limit) break;
    const place = after?.service === each ? JSON.stringify({ ...after, service: undefined }) : undefined;
    const query = { handler, after: place, limit: String(limit + 1 - found.length) };
    const answer = await ask(client, each, { method: 'GET', path: '/internal/parked', query, ...options });
    // A service without handlers has nothing to park.
    const { items } = (answer ?? { items: [] }) as { readonly items: readonly ParkedEvent[] };
    found.push(...items.map((item) => ({ service: each, ...item })));
  }
  return found;
};

/**
 * Has a service do something about a parked event.
 *
 * @throws Fault `not-found` where it is not there
 */
export const tellService = async <Result>(
  client: ServiceClient,
  service: ServiceName,
  question: Question,
): Promise<Result> => {
  const answer = await ask(client, service, question);
  if (answer === undefined) throw faults.notFound();
  return answer as Result;
};

/** Finds a redrive by its id, in whichever service it is at work. */
export const findRedrive = async (
  client: ServiceClient,
  id: string,
  options: AskOptions,
): Promise<(Redrive & { readonly service: ServiceName }) | undefined> => {
  const path = `/internal/redrives/${encodeURIComponent(id)}`;
  const answers = await Promise.allSettled(
    serviceNames.map(async (service) => ({
      service,
      redrive: await ask(client, service, { method: 'GET', path, ...options }),
    })),
  );
  let away: unknown;
  for (const answer of answers) {
    if (answer.status === 'rejected') away = answer.reason;
    else if (answer.value.redrive !== undefined)
      return { service: answer.value.service, ...(answer.value.redrive as Redrive) };
  }
  if (away !== undefined) throw away as Error;
  return undefined;
};
