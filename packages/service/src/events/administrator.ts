import type { Cause, Principal } from '@causeway/contracts';
import { z } from 'zod';

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
