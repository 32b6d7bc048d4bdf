import { faults, type Cause, type Principal } from '@causeway/contracts';
import { z } from 'zod';

import { internalRoute, type Route } from '../http/route.ts';

/** Who wants it: the gateway has seen their token, and that they may. */
export const principal = z.object({
  type: z.enum(['app_user', 'service_account', 'api_key', 'system']),
  id: z.string().max(500).optional(),
});

/** What they do has the request for its beginning, and them as actor. */
export const causeOf = (correlationId: string, { type, id }: z.output<typeof principal>): Cause => ({
  correlationId,
  principal: { type, ...(id === undefined ? {} : { id }) } satisfies Principal,
});

/**
 * How far something is that an administrator has asked for.
 *
 * @param find - gives undefined where there is no such thing
 */
export const progressRoute = ({
  find,
  ...about
}: Pick<Route, 'path' | 'operationId' | 'summary'> & { readonly find: (id: string) => Promise<unknown> }): Route =>
  internalRoute({
    ...about,
    method: 'get',
    params: z.object({ id: z.string().max(100) }),
    responses: { 200: { description: 'How far it is', schema: z.looseObject({}) } },
    faults: [faults.notFound],
    async handle({ params: { id } }) {
      const found = await find(id);
      if (found === undefined) throw faults.notFound();
      return { status: 200, body: found };
    },
  });
