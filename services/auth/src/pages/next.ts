import { html, localPath } from '@causeway/service';
import type { Html, NextPlace } from '@causeway/service';
import { z } from 'zod';

/** Where somebody wanted to go before they were asked to sign in. */
export const nextQuery = z.object({ next: z.string().optional() });

/** Carries it through a form; nothing where there is none. */
export const nextField = (next: string): Html | undefined =>
  next === '' ? undefined : html`<input type="hidden" name="next" value="${next}" />`;

/** Carries it to another page, whose address may have parameters. */
export const withNext = (path: `/account/${string}`, next: string): `/account/${string}` =>
  next === '' ? path : `${path}${path.includes('?') ? '&' : '?'}next=${encodeURIComponent(next)}`;

/**
 * @param next - as it was sent
 * @param publicUrl - whose origin is ours
 * @returns that, where it is within our origin; else the page of the account
 */
export const afterSignIn = (next: string, publicUrl: string): NextPlace =>
  localPath(next, publicUrl) ?? '/account/security';
