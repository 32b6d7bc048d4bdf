import { faults } from '@causeway/contracts';
import { parseAfter } from '@causeway/events';
import { defineRoute, etag, isNotModified } from '@causeway/service';
import type { Route } from '@causeway/service';

import type { AwaitProfile } from './await-profile.ts';
import { ownHeaders, ownProfile, representOwn } from './profile-answer.ts';

/** `GET /v1/users/me` */
export const readOwnProfileRoute = ({ awaitProfile }: { readonly awaitProfile: AwaitProfile }): Route =>
  defineRoute({
    method: 'get',
    path: '/v1/users/me',
    operationId: 'readOwnProfile',
    tag: 'user',
    summary: "The caller's profile",
    description: 'Just after signing up it may take a moment to come: the call waits up to 2 seconds for it.',
    access: 'signed-in',
    requestHeaders: {
      'If-None-Match': { description: 'Answers 304 where it names the current revision.' },
      'Causeway-After': { description: 'The highest `Causeway-Position` seen: nothing older is answered.' },
    },
    responses: {
      200: { description: 'The profile.', schema: ownProfile, headers: { ETag: { description: 'The revision.' } } },
      304: { description: '`If-None-Match` names the current revision.' },
    },
    faults: [faults.unavailable],
    async handle({ token, signal, headers }) {
      const profile = await awaitProfile(token.sub, signal, parseAfter(headers['causeway-after']));
      if (isNotModified(headers['if-none-match'], etag(profile.revision))) {
        return { status: 304, headers: ownHeaders(profile) };
      }
      return { status: 200, headers: ownHeaders(profile), body: representOwn(profile) };
    },
  });
