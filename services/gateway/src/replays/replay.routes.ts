import { faults, services as serviceNames } from '@causeway/contracts';
import { replayFaults, type Replay } from '@causeway/events';
import { defineRoute, type Route } from '@causeway/service';
import { z } from 'zod';

import { administration, principalOf, type Administration } from '../services/administer.ts';
import { orUnavailable, type ServiceClient } from '../services/service-client.ts';

const tag = 'events';

const count = z.number().int();

const replaySchema = z.object({
  id: z.string(),
  service: z.string(),
  handlers: z.array(z.string()),
  since: z.iso.datetime(),
  external: z.boolean(),
  ratePerSecond: count,
  status: z.enum(['running', 'ended']),
  stopped: z.literal(true).optional().describe('An administrator has had it stopped: it ends at the next event.'),
  events: count.describe('Events that it looks at in all.'),
  seen: count.describe('Events that it has looked at.'),
  done: count.describe(
    'They have had their effect now. This and what follows count an event once for each handler that takes it.',
  ),
  skipped: count.describe('They had had it before, or are parked.'),
  tooOld: count.describe('Whether they have had it is no longer known, so they were not run.'),
  failed: count.describe('They are parked now.'),
  requestedAt: z.iso.datetime(),
  endedAt: z.iso.datetime().optional(),
});

const extentSchema = z.object({ dryRun: z.literal(true), handlers: z.array(z.string()), events: count });

const body = z.object({
  service: z.enum(serviceNames),
  handler: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('One handler; without it, all that do not reach outside, and with `external` all.'),
  since: z.iso
    .datetime({ offset: true })
    .refine((time) => Date.parse(time) <= Date.now(), 'Must not be in the future.')
    .describe('What was published from then on, from the beginning of that second, is gone through.'),
  ratePerSecond: count.min(1).max(1_000).optional().describe('Deliveries in a second, at most; 50 by default.'),
  external: z.boolean().default(false).describe('Whether handlers that reach outside, such as mail, take part.'),
  dryRun: z.boolean().default(false),
});

const requestRoute = (replays: Administration): Route =>
  defineRoute({
    method: 'post',
    path: '/v1/replays',
    operationId: 'replay',
    tag,
    summary: 'Have handlers of a service go through past events again',
    description:
      'From the logs of those who published them, so also past what Kafka keeps; in order, up to where the service had got, and in the ' +
      'background: `Location` tells how far it is. An event that has had its effect at a handler does not have it again. With `dryRun` ' +
      'nothing happens, and the answer is how many events it would look at.',
    access: 'admin',
    body,
    responses: {
      200: { description: 'How much it would be.', schema: extentSchema },
      202: {
        description: 'It has begun.',
        schema: replaySchema,
        headers: {
          'Causeway-Event': { description: 'The event that was recorded.' },
          Location: { description: 'Where it tells how far it is.' },
        },
      },
    },
    faults: Object.values(replayFaults).filter(({ declaration: { code } }) => code !== 'replay-ended'),
    handle: async ({ body: { service, since, ...wanted }, principal, requestId, signal }) => {
      const sent = { ...wanted, since: new Date(since).toISOString(), principal: principalOf(principal) };
      const question = { method: 'POST', path: '/internal/replays', body: sent, requestId, signal } as const;
      const answer = await orUnavailable(replays.ask(service, question));
      if (answer === undefined) throw replayFaults.noHandlers();
      if (wanted.dryRun) return { status: 200, body: { dryRun: true, ...(answer as object) } };
      const { replay, eventId } = answer as { readonly replay: Replay; readonly eventId: string };
      const headers = { Location: `/v1/replays/${replay.id}`, 'Causeway-Event': eventId };
      return { status: 202, headers, body: { service, ...replay } };
    },
  });

const readRoute = (replays: Administration): Route =>
  defineRoute({
    method: 'get',
    path: '/v1/replays/{id}',
    operationId: 'readReplay',
    tag,
    summary: 'A replay, and how far it is',
    access: 'admin',
    params: z.object({ id: z.string().max(100) }),
    responses: { 200: { description: 'The replay.', schema: replaySchema } },
    faults: [faults.notFound],
    handle: async ({ params: { id }, requestId, signal }) => {
      const path = `/internal/replays/${encodeURIComponent(id)}`;
      const replay = await orUnavailable(replays.find<Replay>({ method: 'GET', path, requestId, signal }));
      if (replay === undefined) throw faults.notFound();
      return { status: 200, body: replay };
    },
  });

const stopRoute = (replays: Administration): Route =>
  defineRoute({
    method: 'delete',
    path: '/v1/replays/{id}',
    operationId: 'stopReplay',
    tag,
    summary: 'Stop a replay',
    description:
      'It ends at the next event, and tells how far it has come; what it has done stays done. Where it was stopped before, nothing is ' +
      'recorded.',
    access: 'admin',
    params: z.object({ id: z.string().max(100) }),
    responses: {
      202: {
        description: 'It is being stopped.',
        schema: replaySchema,
        headers: {
          'Causeway-Event': { description: 'The event that was recorded.' },
          Location: { description: 'Where it tells how far it is.' },
        },
      },
    },
    faults: [faults.notFound, replayFaults.replayEnded],
    handle: async ({ params: { id }, principal, requestId, signal }) => {
      const path = `/internal/replays/${encodeURIComponent(id)}`;
      const found = await orUnavailable(replays.find<Replay>({ method: 'GET', path, requestId, signal }));
      if (found === undefined) throw faults.notFound();
      const body = { principal: principalOf(principal) };
      const question = { method: 'POST', path: `${path}/stop`, body, requestId, signal } as const;
      const stopped = replays.tell<{ readonly replay: Replay; readonly eventId?: string }>(found.service, question);
      const { replay, eventId } = await orUnavailable(stopped);
      const headers = { Location: `/v1/replays/${id}`, ...(eventId !== undefined && { 'Causeway-Event': eventId }) };
      return { status: 202, headers, body: { service: found.service, ...replay } };
    },
  });

/**
 * The calls that have handlers go through past events again; for administrators.
 *
 * @param client - asks the services
 */
export const replayRoutes = (client: ServiceClient): readonly Route[] => {
  const replays = administration(client, { about: 'replays', known: replayFaults });
  return [requestRoute(replays), readRoute(replays), stopRoute(replays)];
};
