import { faults } from '@causeway/contracts';
import { definePage, html } from '@causeway/service';
import type { Html, Page, Route } from '@causeway/service';
import { z } from 'zod';

import type { EndOtherSessions } from '../sessions/end-other-sessions.ts';
import type { EndSession } from '../sessions/end-session.ts';
import type { SessionQueries, SessionSummary } from '../sessions/session.model.ts';
import { deviceInWords } from '../sessions/device-words.ts';
import type { FormFailure } from './form-failure.ts';
import { alertHtml, csrfField, memberLayout, memberProblemPage } from './layout.ts';
import type { Member, Members } from './members.ts';
import { noticeHtml, noticeQuery, withNotice } from './notices.ts';
import { timeHtml } from './time.ts';

/** What {@link sessionsPages} are given. */
export interface SessionsPagesDependencies {
  readonly members: Members;
  readonly sessionQueries: Pick<SessionQueries, 'listLive'>;
  readonly endSession: EndSession;
  readonly endOtherSessions: EndOtherSessions;
  readonly now: () => Date;
}

const path = '/account/sessions';
/** In the place of a session's id: all but the one that asks. */
const others = 'others';

const text = z.string().default('');
const form = z.object({ session: text, csrf: text });

interface Shown {
  readonly member: Member;
  readonly sessions: readonly SessionSummary[];
  readonly done?: string | undefined;
  readonly failure?: FormFailure;
}

const row = ({ claims, csrf }: Member, { _id, userAgent, ip, createdAt, lastUsedAt }: SessionSummary): Html => {
  const device = deviceInWords(userAgent);
  const isCurrent = _id === claims.sid;
  return html`
    <li>
      <div>
        <p><strong>${device}</strong> ${isCurrent && html`<span class="tag good">This one</span>`}</p>
        <p class="when">
          ${ip !== undefined && html`${ip} · `}since ${timeHtml(createdAt)} · last used ${timeHtml(lastUsedAt)}
        </p>
      </div>
      ${
        !isCurrent &&
        html`<form method="post" action="${path}">
          <input type="hidden" name="session" value="${_id}" /> ${csrfField(csrf)}
          <button class="quiet danger" type="submit">End<span class="unseen"> the session of ${device}</span></button>
        </form>`
      }
    </li>
  `;
};

const page = ({ member, sessions, done, failure }: Shown): Page => ({
  title: 'Sessions',
  body: html`${noticeHtml(done)} ${alertHtml(failure?.summary)}
    <section class="panel" aria-label="Where you are signed in">
      <p>You are signed in here. End what you do not know, and then change your password.</p>
      <ul class="rows">
        ${sessions.map((session) => row(member, session))}
      </ul>
      ${
        sessions.length > 1 &&
        html`<form class="deeds" method="post" action="${path}">
          <input type="hidden" name="session" value="${others}" /> ${csrfField(member.csrf)}
          <button class="danger" type="submit">Sign out everywhere else</button>
        </form>`
      }
    </section>`,
});

/** `/account/sessions` */
export function sessionsPages(dependencies: SessionsPagesDependencies): Route[] {
  const { members, sessionQueries, endSession, endOtherSessions, now } = dependencies;
  const common = { path, access: 'anonymous', layout: memberLayout(path), problemPage: memberProblemPage } as const;
  const pageOf = async (member: Member, shown: Omit<Shown, 'member' | 'sessions'>): Promise<Page> =>
    page({ member, sessions: await sessionQueries.listLive(member.claims.sub, now()), ...shown });

  return [
    definePage({
      ...common,
      method: 'get',
      operationId: 'sessionsPage',
      summary: 'Where whoever looks is signed in',
      query: noticeQuery,
      handle: (call) => members.show(call, path, async (member) => ({ page: await pageOf(member, call.query) })),
    }),
    definePage({
      ...common,
      method: 'post',
      operationId: 'endSessionsByForm',
      summary: 'Ends a session, or all others',
      form,
      handle: (call) =>
        members.act(call, {
          at: path,
          csrf: call.body.csrf,
          words: { 'not-found': 'That session is over already.' },
          page: (member, failure) => pageOf(member, { failure }),
          async work({ claims: { sub: accountId, sid }, cause }) {
            const { session: sessionId } = call.body;
            if (sessionId === others) {
              await endOtherSessions(cause, { accountId, but: sid });
              return { seeOther: withNotice(path, 'others-ended') };
            }
            const event = await endSession(cause, { sessionId, accountId, reason: 'revoked' });
            if (event === undefined) throw faults.notFound();
            return { seeOther: withNotice(path, 'session-ended') };
          },
        }),
    }),
  ];
}
