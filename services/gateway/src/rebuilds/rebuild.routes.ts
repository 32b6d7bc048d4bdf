import { faults, services as serviceNames } from '@causeway/contracts';
import { rebuildFaults, type Rebuild } from '@causeway/events';
import { defineRoute, type Route } from '@causeway/service';
import { z } from 'zod';

import { administration, principalOf, type Administration } from '../services/administer.ts';
import { orUnavailable, type ServiceClient } from '../services/service-client.ts';

const tag = 'events';

const count = z.number().int();

const rebuildSchema = z.object({
  id: z.string(),
  service: z.string(),
  handler: z.string(),
  collection: z.string(),
  status: z
    .enum(['running', 'waiting', 'swapped', 'dropped'])
    .describe('`waiting`: both copies differ, and one of `swap` and `drop` has to be said.'),
  ratePerSecond: count.optional(),
  seen: count.describe('Events that were read.'),
  carried: count.describe('Documents that were taken over, since the logs no longer hold their events.'),
  documents: count.describe('Of both copies together; this and what follows are there once they have been compared.'),
  differing: count,
  examples: z.array(z.string()).describe('Some ids that differ.'),
  liveChecksum: z.string(),
  rebuiltChecksum: z.string(),
  requestedAt: z.iso.datetime(),
  endedAt: z.iso.datetime().optional(),
});

const params = z.object({ id: z.string().max(100) });

const headers = {
  'Causeway-Event': { description: 'The event that was recorded.' },
  Location: { description: 'Where it tells how far it is.' },
};

interface Begun {
  readonly rebuild: Rebuild;
  readonly eventId: string;
}

const answered = (service: string, { rebuild, eventId }: Begun) => ({
  status: 202 as const,
  headers: { Location: `/v1/rebuilds/${rebuild.id}`, 'Causeway-Event': eventId },
  body: { service, ...rebuild },
});

const requestRoute = (rebuilds: Administration): Route =>
  defineRoute({
    method: 'post',
    path: '/v1/rebuilds',
    operationId: 'rebuild',
    tag,
    summary: 'Build a read model anew, beside the one that is used',
    description:
      'From the logs of those who published its events, in the background: `Location` tells how far it is. Where both copies agree, the new ' +
      'one is swapped in. Where they differ, nothing is changed until that is asked for: `swap` or `drop`.',
    access: 'admin',
    body: z.object({
      service: z.enum(serviceNames),
      handler: z.string().min(1).max(200),
      ratePerSecond: count
        .min(1)
        .max(100_000)
        .optional()
        .describe(
          'Events in a second, at most; more than are published meanwhile. As fast as may be where it says nothing.',
        ),
    }),
    responses: { 202: { description: 'It has begun.', schema: rebuildSchema, headers } },
    faults: Object.values(rebuildFaults).filter(({ declaration: { code } }) => code !== 'nothing-to-decide'),
    handle: async ({ body: { service, handler, ratePerSecond }, principal, requestId, signal }) => {
      const body = { handler, ratePerSecond, principal: principalOf(principal) };
      const question = { method: 'POST', path: '/internal/rebuilds', body, requestId, signal } as const;
      const answer = await orUnavailable(rebuilds.ask(service, question));
      if (answer === undefined) throw rebuildFaults.noHandlers();
      return answered(service, answer as Begun);
    },
  });

const readRoute = (rebuilds: Administration): Route =>
  defineRoute({
    method: 'get',
    path: '/v1/rebuilds/{id}',
    operationId: 'readRebuild',
    tag,
    summary: 'A rebuild, and how far it is',
    access: 'admin',
    params,
    responses: { 200: { description: 'The rebuild.', schema: rebuildSchema } },
    faults: [faults.notFound],
    handle: async ({ params: { id }, requestId, signal }) => {
      const path = `/internal/rebuilds/${encodeURIComponent(id)}`;
      const rebuild = await orUnavailable(rebuilds.find<Rebuild>({ method: 'GET', path, requestId, signal }));
      if (rebuild === undefined) throw faults.notFound();
      return { status: 200, body: rebuild };
    },
  });

const words = {
  swap: {
    summary: 'Swap in a read model that was built anew, though it differs',
    description: 'It is brought up to date first. Nobody can go back to the old one.',
  },
  drop: {
    summary: 'Drop a read model that was built anew',
    description:
      'The one that is used stays as it is. Also where it is not finished; not where it is being swapped in.',
  },
} as const;

const decideRoute = (rebuilds: Administration, decision: 'swap' | 'drop'): Route =>
  defineRoute({
    method: 'post',
    path: `/v1/rebuilds/{id}/${decision}`,
    operationId: `${decision}Rebuild`,
    tag,
    ...words[decision],
    access: 'admin',
    params,
    responses: { 202: { description: 'It is decided.', schema: rebuildSchema, headers } },
    faults: [faults.notFound, rebuildFaults.nothingToDecide],
    handle: async ({ params: { id }, principal, requestId, signal }) => {
      const path = `/internal/rebuilds/${encodeURIComponent(id)}`;
      const found = await orUnavailable(rebuilds.find<Rebuild>({ method: 'GET', path, requestId, signal }));
      if (found === undefined) throw faults.notFound();
      const body = { decision, principal: principalOf(principal) };
      const question = { method: 'POST', path: `${path}/decision`, body, requestId, signal } as const;
      return answered(found.service, await orUnavailable(rebuilds.tell<Begun>(found.service, question)));
    },
  });

/**
 * The calls that build read models anew; for administrators.
 *
 * @param client - asks the services
 */
export const rebuildRoutes = (client: ServiceClient): readonly Route[] => {
  const rebuilds = administration(client, { about: 'rebuilds', known: rebuildFaults });
  return [requestRoute(rebuilds), readRoute(rebuilds), decideRoute(rebuilds, 'swap'), decideRoute(rebuilds, 'drop')];
};
