import { faults } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import { RevisionMismatch, stateOf } from '@causeway/events';
import type { IfMatch, RecordedCollection, RecordedUpdate } from '@causeway/events';
import { defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';

import type { AwaitProfile } from './await-profile.ts';
import { ownHeaders, ownProfile, representOwn } from './profile-answer.ts';
import { applyProfilePatch, profilePatch } from './profile-patch.ts';
import type { ProfilePatch } from './profile-patch.ts';
import type { ProfileDocument } from './profile.model.ts';
import { updated } from './profiles.events.ts';

interface Dependencies {
  readonly awaitProfile: AwaitProfile;
  readonly profiles: Pick<RecordedCollection<ProfileDocument>, 'update'>;
}

async function change(
  { profiles }: Dependencies,
  cause: Cause,
  command: { readonly id: string; readonly patch: ProfilePatch; readonly ifMatch: IfMatch | undefined },
): Promise<RecordedUpdate<ProfileDocument>> {
  const { id, patch, ifMatch } = command;
  try {
    const write = await profiles.update(
      cause,
      id,
      (current) => {
        const { state, changed } = applyProfilePatch(stateOf(current), patch);
        return changed.length === 0 ? undefined : { state, event: updated(id, state, changed) };
      },
      ifMatch === undefined ? {} : { ifMatch },
    );
    if (write === undefined) throw faults.unavailable({ retryAfterS: 1, message: 'the profile has gone again' });
    return write;
  } catch (error) {
    throw error instanceof RevisionMismatch ? faults.preconditionFailed({ cause: error }) : error;
  }
}

/** `PATCH /v1/users/me` */
export const changeOwnProfileRoute = (dependencies: Dependencies): Route =>
  defineRoute({
    method: 'patch',
    path: '/v1/users/me',
    operationId: 'changeOwnProfile',
    tag: 'user',
    summary: "Change the caller's profile",
    description: 'A JSON Merge Patch (RFC 7396). The e-mail address is changed with the account.',
    access: 'signed-in',
    bodies: { 'application/merge-patch+json': profilePatch },
    bodyLimitBytes: 65_536,
    requestHeaders: { 'If-Match': { description: 'Change it only at one of these revisions.' } },
    responses: {
      200: {
        description: 'The profile as it is now.',
        schema: ownProfile,
        headers: {
          ETag: { description: 'The revision.' },
          'Causeway-Event': { description: 'The event that the call has recorded; absent where nothing changed.' },
        },
      },
    },
    faults: [faults.preconditionFailed, faults.conflict, faults.unavailable],
    async handle({ cause, token, signal, body, ifMatch }) {
      await dependencies.awaitProfile(token.sub, signal);
      const command = { id: token.sub, patch: body.value, ifMatch };
      const { document, event } = await change(dependencies, cause, command);
      return {
        status: 200,
        headers: { ...ownHeaders(document), 'Causeway-Event': event?.id },
        body: representOwn(document),
      };
    },
  });
