import { faults } from '@causeway/contracts';
import { defineRoute, insufficientAuthentication } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import type { DemandRecent } from '../sessions/demand-recent.ts';
import { noStore } from '../sessions/session-tokens.ts';
import { paging } from './activity.route.ts';
import { auditRepresentation, representAudit } from './audit-answer.ts';
import { csvType, exportAudit, ndjsonType } from './export-audit.ts';
import type { NoteReading } from './note-reading.ts';
import type { ReadAudit } from './read-audit.ts';

const id = z.string().min(1).max(64);

const question = z.object({
  account: id.optional().meta({ description: 'Whom it is about.' }),
  actor: id.optional().meta({ description: 'Who did it.' }),
  type: z
    .string()
    .max(100)
    .regex(/^auth(\.[a-z-]+){2}$/, 'Must be a type such as auth.session.started.')
    .optional(),
  outcome: z.enum(['done', 'refused']).optional(),
  from: z.iso.datetime({ offset: true }).optional().meta({ description: 'From this time on.' }),
  to: z.iso.datetime({ offset: true }).optional().meta({ description: 'Before this time.' }),
});

const pagingParameters = ['cursor', 'limit'] as const;

/** Only a list has pages. */
const refusePaging = (asked: URLSearchParams): void => {
  const errors = pagingParameters
    .filter((parameter) => asked.has(parameter))
    .map((parameter) => ({
      parameter,
      code: 'not-in-exports',
      message: `Leave ${parameter} out: an export is all of it.`,
    }));
  if (errors.length > 0) throw faults.invalidRequest({ errors });
};

/** What {@link listAuditRoute} is given. */
export interface ListAuditDependencies {
  readonly readAudit: ReadAudit;
  readonly noteReading: NoteReading;
  readonly demandRecent: DemandRecent;
}

/** `GET /v1/auth/audit`: a page as JSON, or all of it as a stream. That it was read is in the audit, too. */
export const listAuditRoute = ({ readAudit, noteReading, demandRecent }: ListAuditDependencies): Route =>
  defineRoute({
    method: 'get',
    path: '/v1/auth/audit',
    operationId: 'listAudit',
    tag: 'auth',
    summary: 'List or export the audit',
    description: [
      'Every security-relevant act, the newest first. That somebody reads it is an act, too.',
      `\`Accept: ${ndjsonType}\` or \`${csvType}\` streams all that is asked for instead of a page, after a recent authentication.`,
      "Cells of text that begin with `=`, `+`, `-` or `@` get a `'` before them.",
    ].join(' '),
    access: 'admin',
    query: question.extend(paging),
    faults: [faults.notFound, insufficientAuthentication],
    responses: {
      200: {
        description: 'A page of entries, or all of them.',
        schema: z.object({
          items: z.array(auditRepresentation),
          nextCursor: z.string().nullable(),
        }),
        mediaTypes: ['application/json', ndjsonType, csvType],
      },
    },
    async handle({ query: { cursor, limit, ...asked }, cause, token, mediaType, signal, request }) {
      const isExport = mediaType !== 'application/json';
      // All of everybody, to take away.
      if (isExport) await demandRecent(token);
      if (isExport) refusePaging(new URL(request.url ?? '', 'http://localhost').searchParams);
      const about = asked.account ?? asked.actor;
      const note = () =>
        noteReading(cause, {
          administratorId: token.sub,
          what: isExport ? 'export' : 'audit',
          about,
        });
      if (isExport) {
        const event = await note();
        const headers = {
          ...{ ...noStore, 'Causeway-Event': event },
          'Content-Type': mediaType === csvType ? `${csvType}; charset=utf-8; header=present` : mediaType,
          'Content-Disposition': `attachment; filename="audit.${mediaType === csvType ? 'csv' : 'ndjson'}"`,
        };
        return {
          status: 200,
          headers,
          stream: exportAudit(readAudit, asked, mediaType, signal),
        };
      }
      const { entries, nextCursor } = await readAudit.page(asked, { cursor, limit, reader: token.sub });
      const headers = { ...noStore, 'Causeway-Event': await note() };
      return {
        status: 200,
        headers,
        body: { items: entries.map(representAudit), nextCursor },
      };
    },
  });
