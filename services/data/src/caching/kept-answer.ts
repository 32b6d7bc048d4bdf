import { createHash } from 'node:crypto';

import { isNotModified } from '@causeway/service';
import type { Answer } from '@causeway/service';

import type { Expansion } from '../expand/expansion.ts';
import type { Caller } from '../rules/rule.ts';
import type { Seen } from '../rules/see.ts';

/** What an answer says to whoever may keep it. */
export interface KeepHeaders {
  readonly 'Cache-Control': 'public, no-cache' | 'private, no-cache';
  readonly Vary: string;
}

/** What else than its address decides what an answer is: who asks, by token or cookie, and in which form. */
const vary = 'Authorization, Cookie, Accept';

/** Whether a collection shows all of every record to everybody, and keeps nothing of it encrypted: that is kept in the clear by nobody else either. */
const isPublic = ({ rules, fields }: Seen): boolean =>
  rules.read.kind === 'public' && fields.every(({ read, encrypted }) => read === undefined && encrypted !== true);

/** The same of all that is shown beside its records. */
const arePublic = (expand: readonly Expansion[]): boolean =>
  expand.every(({ target, inner }) => target !== undefined && isPublic(target) && arePublic(inner));

/**
 * How a caller's answer about records may be kept (RFC 9111 §5.2.2): never without asking whether it is still right, since rights and records change at
 * any time; and only by the caller, unless nobody is named by the call and the collection shows everything to everybody, so that there is nothing
 * whose copy would have to be taken back.
 *
 * @param expand - what is shown beside its records
 */
export const keepHeaders = (
  collection: Seen,
  caller: Pick<Caller, 'signedIn'>,
  expand: readonly Expansion[] = [],
): KeepHeaders => ({
  'Cache-Control':
    !caller.signedIn && isPublic(collection) && arePublic(expand) ? 'public, no-cache' : 'private, no-cache',
  Vary: vary,
});

/** The entity tag of an answer that is no single record: weak, and a hash of what is answered (RFC 9110 §8.8.3). */
const weakTag = (json: string): string => `W/"${createHash('sha256').update(json).digest('base64url').slice(0, 22)}"`;

/** An answer that may be kept. */
export interface KeptAnswer {
  readonly answer: Answer<200>;
  /** How; undefined where it may not be. */
  readonly keep: KeepHeaders | undefined;
}

/**
 * Answers with a page, or that it has not changed since it was kept.
 *
 * @param ifNoneMatch - as it was sent
 * @throws Fault `invalid-request` where that is malformed
 */
export function answerKept({ answer, keep }: KeptAnswer, ifNoneMatch: string | undefined): Answer<200 | 304> {
  const { json } = answer;
  if (keep === undefined || typeof json !== 'string') return answer;
  const own = { ...keep, ETag: weakTag(json) };
  // How far an answer reaches is said also where it is the one that the caller has.
  const position = answer.headers?.['Causeway-Position'];
  const unchanged = position === undefined ? own : { ...own, 'Causeway-Position': position };
  if (isNotModified(ifNoneMatch, own.ETag)) return { status: 304, headers: unchanged };
  return { ...answer, json, headers: { ...answer.headers, ...own } };
}
