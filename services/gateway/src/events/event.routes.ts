import { faults, type EventEnvelope } from '@causeway/contracts';
import type { HandlerRegistry } from '@causeway/events';
import { defineRoute, type AccessClaims, type Route } from '@causeway/service';
import type { Logger } from '@causeway/telemetry';
import { z } from 'zod';

import { orUnavailable, type ServiceClient } from '../services/service-client.ts';
import { awaitComplete } from './await-complete.ts';
import { followEffects } from './effects-tree.ts';
import { eventSchema } from './event-schemas.ts';
import { isAdministrator, maySee, showEffects, showEvent } from './event-visibility.ts';
import { findEvent, type AskOptions } from './find-event.ts';
import { listEventsRoute } from './list-events.route.ts';

/** What the calls about events are given. */
export interface EventRoutesOptions {
  readonly client: ServiceClient;
  /** Cursors are sealed with a key derived from it. */
  readonly internalKey: string;
  readonly registry: Pick<HandlerRegistry, 'handlersOf' | 'ready'>;
  readonly logger: Logger;
}

/** An event in structured mode (CloudEvents 1.0, JSON event format §3). */
const cloudEventJson = 'application/cloudevents+json';

const params = z.object({ id: z.uuid() });

const waitForm = /^(?:[1-9]|[12]\d|30)s$/;
const wait = z
  .string()
  .regex(waitForm, { error: 'Must be from 1s to 30s.' })
  .transform((text) => Number.parseInt(text, 10) * 1000)
  .optional()
  .describe('Holds the answer until it is complete, or the time is up: `1s` to `30s`.');

const visibleEvent = async (
  client: ServiceClient,
  id: string,
  token: AccessClaims,
  ask: AskOptions,
): Promise<EventEnvelope> => {
  const event = await orUnavailable(findEvent(client, id, ask));
  if (event === undefined || !maySee(event, token)) throw faults.notFound();
  return event;
};

const readEvent = ({ client }: EventRoutesOptions): Route =>
  defineRoute({
    method: 'get',
    path: '/v1/events/{id}',
    operationId: 'readEvent',
    tag: 'events',
    summary: 'An event',
    description:
      'For administrators, and the person who caused it: to the latter without the fields of a record that had read rules of their own.',
    access: 'signed-in',
    params,
    responses: {
      200: {
        description: 'The event.',
        schema: eventSchema('Event'),
        mediaTypes: ['application/json', cloudEventJson],
      },
    },
    handle: async ({ params: { id }, token, requestId, signal, mediaType }) => ({
      status: 200,
      headers: { 'Content-Type': mediaType },
      body: showEvent(await visibleEvent(client, id, token, { requestId, signal }), token),
    }),
  });

const readEffects = ({ client, registry, logger }: EventRoutesOptions): Route =>
  defineRoute({
    method: 'get',
    path: '/v1/events/{id}/effects',
    operationId: 'readEffects',
    tag: 'events',
    summary: 'What became of an event, and of all that it caused',
    description:
      'For administrators, and the person who caused it. A handler whose service does not answer is `pending`; one of a service that is ' +
      "none of the platform's is `outside`, and not waited for.",
    access: 'signed-in',
    params,
    query: z.object({ wait }),
    responses: { 200: { description: 'The effects.', schema: eventSchema('Effects') } },
    handle: async ({ params: { id }, query, token, requestId, signal, draining }) => {
      const ask = { requestId, signal };
      const event = await visibleEvent(client, id, token, ask);
      // Before all handlers are known, one that is missing would look like none.
      if (!registry.ready) throw faults.unavailable({ message: 'the handlers are not known yet', retryAfterS: 1 });
      const look = followEffects(event, { client, registry, logger, withErrors: isAdministrator(token), ask });
      const until = { waitMs: query.wait ?? 0, signal: AbortSignal.any([signal, draining]) };
      return { status: 200, body: showEffects(await awaitComplete(look, until), token) };
    },
  });

/**
 * The calls about events and what became of them.
 *
 * @param options - the services, and the handlers that are registered
 */
export const eventRoutes = (options: EventRoutesOptions): readonly Route[] => [
  listEventsRoute(options),
  readEvent(options),
  readEffects(options),
];
