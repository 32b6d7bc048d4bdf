import { faults, type EventEnvelope } from '@causeway/contracts';
import { defineRoute, type AccessClaims, type EventQuestion, type Route } from '@causeway/service';
import { z } from 'zod';

import { orUnavailable, type ServiceClient } from '../services/service-client.ts';
import { createEventCursors } from './event-cursor.ts';
import { eventListSchema } from './event-schemas.ts';
import { isAdministrator, maySee, showEvent } from './event-visibility.ts';
import { listEvents } from './list-events.ts';

/** What the list of events is given. */
export interface ListEventsRouteOptions {
  readonly client: ServiceClient;
  /** Cursors are sealed with a key derived from it. */
  readonly internalKey: string;
}

/** It names a place for each slot that has been read: of at most 1,000 slots it stays below this, and within a request's headers. */
const longestCursor = 14_000;

const mostTypes = 20;
const typeForm = '[a-z][a-z0-9-]*(?:\\.[a-z][a-z0-9-]*){2}';
const typesForm = new RegExp(`^${typeForm}(?:,${typeForm}){0,${mostTypes - 1}}$`);

const query = z.object({
  correlationId: z.string().min(1).max(200).optional().describe('The `X-Request-Id` of the request.'),
  subject: z
    .string()
    .max(300)
    .regex(/^[^/\s]+\/./, { error: 'Must be a thing and its id, such as account/usr_06F2….' })
    .optional()
    .describe('What they are about: a thing and its id, `account/usr_…`.'),
  type: z
    .string()
    .max(2_000)
    .regex(typesForm, {
      error: `Must be a type such as auth.account.created, or up to ${mostTypes} with commas between them; /schemas lists them.`,
    })
    .optional()
    .describe('A type, or several with commas between them: `data.record.created,data.record.deleted`.'),
  cursor: z.string().max(longestCursor).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(20),
});

type Query = z.output<typeof query>;

const questionOf = ({ correlationId, subject, type }: Query, token: AccessClaims): EventQuestion => {
  if (correlationId === undefined && subject === undefined && type === undefined) {
    const message = 'Give at least one of `correlationId`, `subject` and `type`.';
    throw faults.invalidRequest({ errors: [{ parameter: 'correlationId', code: 'required', message }] });
  }
  const types = type === undefined ? undefined : [...new Set(type.split(','))].sort();
  return { correlationId, subject, types, ...(!isAdministrator(token) && { causedBy: token.sub }) };
};

/**
 * The list of events.
 *
 * @param options - the services, and the installation's key
 */
export const listEventsRoute = ({ client, internalKey }: ListEventsRouteOptions): Route => {
  const cursors = createEventCursors(internalKey);
  return defineRoute({
    method: 'get',
    path: '/v1/events',
    operationId: 'listEvents',
    tag: 'events',
    summary: 'The events of a request, of a thing, or of some types',
    description:
      'Of all services; at least one of `correlationId`, `subject` and `type` is given, and events of which all that is given is true are listed: to administrators, and to the person who caused them. A page is in the order of time. It may be shorter than asked for where the events are large: the end is where `nextCursor` is `null`.',
    access: 'signed-in',
    query,
    responses: { 200: { description: 'The events.', schema: eventListSchema } },
    faults: [faults.notFound],
    handle: async ({ query: asked, token, requestId, signal }) => {
      const { cursor, limit } = asked;
      const about = questionOf(asked, token);
      const { correlationId = null, subject = null, types = null } = about;
      const scope = { query: JSON.stringify([correlationId, subject, types]), principal: token.sub };
      const after = cursor === undefined ? undefined : cursors.open(scope, cursor);
      const question = { about, after, limit, visible: (event: EventEnvelope) => maySee(event, token) };
      const { items, next } = await orUnavailable(listEvents(client, question, { requestId, signal }));
      const shown = items.map((event) => showEvent(event, token));
      return { status: 200, body: { items: shown, nextCursor: next === undefined ? null : cursors.seal(scope, next) } };
    },
  });
};
