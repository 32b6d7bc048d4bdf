import { definePage, html } from '@causeway/service';
import type { Html, Page, Route } from '@causeway/service';
import { z } from 'zod';

import { representActivity } from '../audit/audit-answer.ts';
import type { AuditEntry } from '../audit/audit-entry.ts';
import type { AuditPage, ReadAudit } from '../audit/read-audit.ts';
import { activityInWords } from './activity-words.ts';
import { deviceInWords } from '../sessions/device-words.ts';
import { memberLayout, memberProblemPage } from './layout.ts';
import type { Members } from './members.ts';
import { timeHtml } from './time.ts';

/** What {@link activityPages} are given. */
export interface ActivityPagesDependencies {
  readonly members: Pick<Members, 'show'>;
  readonly readAudit: Pick<ReadAudit, 'page'>;
}

const path = '/account/activity';
/** On one page. */
const limit = 25;

const textIn = (values: Readonly<Record<string, unknown>> | null, name: string): string | undefined => {
  const value = values?.[name];
  return typeof value === 'string' ? value : undefined;
};

/** What is told is what the interface tells: who else has done it, and what they noted, is nobody's but theirs. */
const row = (entry: AuditEntry): Html => {
  const { by, personal, outcome } = representActivity(entry);
  const userAgent = textIn(personal, 'userAgent');
  const from = [userAgent === undefined ? undefined : deviceInWords(userAgent), textIn(personal, 'ip')];
  const details = [...from, by === 'somebody-else' ? 'by an administrator' : undefined].filter(
    (each) => each !== undefined,
  );
  return html`
    <li>
      <div>
        <p>
          <strong>${activityInWords(entry)}</strong>
          ${outcome === 'refused' && html`<span class="tag bad">Refused</span>`}
        </p>
        <p class="when">${timeHtml(entry.at)}${details.map((each) => ` · ${each}`)}</p>
      </div>
    </li>
  `;
};

const page = ({ entries, nextCursor }: AuditPage, isFirst: boolean): Page => ({
  title: 'Activity',
  body: html`<section class="panel" aria-label="What happened to your account">
    <p>
      What happened to your account, the newest first. If something was not you, end that session under
      <a href="/account/sessions">Sessions</a> and change your password.
    </p>
    ${
      entries.length === 0
        ? html`<p class="hint">Nothing yet: what happens is here within moments.</p>`
        : html`<ol class="rows">
            ${entries.map(row)}
          </ol>`
    }
    <p class="deeds">
      ${!isFirst && html`<a class="button quiet" href="${path}">Newest</a>`}
      ${nextCursor !== null && html`<a class="button quiet" href="${path}?cursor=${encodeURIComponent(nextCursor)}">Older</a>`}
    </p>
  </section>`,
});

/** `/account/activity` */
export const activityPages = ({ members, readAudit }: ActivityPagesDependencies): Route[] => [
  definePage({
    ...{ path, access: 'anonymous', layout: memberLayout(path), problemPage: memberProblemPage },
    method: 'get',
    operationId: 'activityPage',
    summary: 'What happened to the account of whoever is signed in',
    query: z.object({ cursor: z.string().max(2_048).optional() }),
    handle: (call) =>
      members.show(call, path, async ({ claims }) => {
        const { cursor } = call.query;
        return {
          page: page(
            await readAudit.page({ account: claims.sub }, { cursor, limit, reader: claims.sub }),
            cursor === undefined,
          ),
        };
      }),
  }),
];
