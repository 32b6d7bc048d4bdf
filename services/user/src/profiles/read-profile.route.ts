import { faults, isId } from '@causeway/contracts';
import { parseAfter } from '@causeway/events';
import { defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import { publicProfile, representPublic } from './profile-answer.ts';
import type { ProfileQueries } from './profile.model.ts';

/** `GET /v1/users/{id}` */
export const readProfileRoute = ({ profiles }: { readonly profiles: ProfileQueries }): Route =>
  defineRoute({
    method: 'get',
    path: '/v1/users/{id}',
    operationId: 'readProfile',
    tag: 'user',
    summary: "What everybody sees of a person's profile",
    access: 'signed-in',
    requestHeaders: {
      'Causeway-After': { description: 'The highest `Causeway-Position` seen: nothing older is answered.' },
    },
    params: z.object({ id: z.string().refine((id) => isId('usr', id)) }),
    responses: { 200: { description: 'The profile.', schema: publicProfile } },
    faults: [faults.notFound],
    async handle({ params, headers }) {
      const profile = await profiles.byId(params.id, parseAfter(headers['causeway-after']));
      if (profile === undefined) throw faults.notFound();
      return { status: 200, body: representPublic(profile), headers: { 'Cache-Control': 'private, no-cache' } };
    },
  });
