import { isDeepStrictEqual } from 'node:util';

import type { StateOf } from '@causeway/events';
import { z } from 'zod';

import { mergePatch } from './merge-patch.ts';
import { preferencesFault } from './preferences.ts';
import type { ProfileDocument } from './profile.model.ts';

/** A profile without what every record has. */
export type ProfileState = StateOf<ProfileDocument>;

const countOf = (text: string): number => Array.from(text).length;

/** Text of so many characters at most, well-formed, in form NFC, without spaces around it, not empty. */
const text = (longest: number, forbidden: RegExp, what: string) =>
  z
    .string()
    .max(4 * longest, `Must have at most ${longest} characters.`)
    .refine((value) => value.isWellFormed() && !forbidden.test(value), `Must be ${what}.`)
    .transform((value) => value.normalize('NFC').trim())
    .refine((value) => value !== '', 'Must not be empty.')
    .refine(
      (value) => value.length > 4 * longest || countOf(value) <= longest,
      `Must have at most ${longest} characters.`,
    );

const name = text(200, /[\p{Cc}\u2028\u2029]/u, 'one line of well-formed Unicode');
const bio = text(2000, /[^\P{Cc}\n\r\t]/u, 'well-formed Unicode without control characters');

/** Pictures are shown in other people's browsers: nothing but the web, and no credentials in it. */
const avatarUrl = z
  .string()
  .max(2048, 'Must have at most 2048 characters.')
  .refine((value) => {
    const url = URL.parse(value);
    return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
  }, 'Must be a URL of http or https, without credentials.')
  .transform((value) => new URL(value).href);

const localeOf = (value: string): string | undefined => {
  try {
    return Intl.getCanonicalLocales(value)[0];
  } catch {
    return undefined;
  }
};

const timeZoneOf = (value: string): string | undefined => {
  // Offsets such as +02:00 are taken by Intl too, but do not know summer from winter.
  if (/^[+-]/.test(value)) return undefined;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: value }).resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
};

const known = (find: (value: string) => string | undefined, what: string) =>
  z
    .string()
    .max(100, `Must be ${what}.`)
    .transform((value, context) => {
      const found = find(value);
      if (found !== undefined) return found;
      context.addIssue({ code: 'custom', message: `Must be ${what}.` });
      return z.NEVER;
    });

/** A merge patch of a profile (RFC 7396): `null` removes. E-mail addresses are changed with the account. */
export const profilePatch = z.strictObject({
  name: name.optional(),
  avatarUrl: avatarUrl.nullable().optional(),
  bio: bio.nullable().optional(),
  locale: known(localeOf, 'a BCP 47 language tag, such as de-AT').nullable().optional(),
  timeZone: known(timeZoneOf, 'an IANA time zone, such as Europe/Vienna').nullable().optional(),
  preferences: z.record(z.string(), z.unknown()).nullable().optional(),
});

/** A merge patch of a profile. */
export type ProfilePatch = z.output<typeof profilePatch>;

/** A profile after a patch, and the names of the fields that differ from before. */
export interface PatchedProfile {
  readonly state: ProfileState;
  readonly changed: readonly string[];
}

/**
 * Applies a merge patch.
 *
 * @param current - the profile as it is
 * @param patch - what changes
 * @throws fault `invalid-request` where the preferences would become too large or too deep
 */
export function applyProfilePatch(current: ProfileState, patch: ProfilePatch): PatchedProfile {
  const state = mergePatch(current, patch) as ProfileState;
  // Preferences are always there: removing them leaves none.
  const whole = { ...state, preferences: state.preferences as ProfileState['preferences'] | undefined };
  const preferences = whole.preferences ?? {};
  const fault = preferencesFault(preferences);
  if (fault !== undefined) throw fault;
  const next: ProfileState = { ...state, preferences };
  const names = new Set([...Object.keys(current), ...Object.keys(next)]) as Set<keyof ProfileState>;
  return { state: next, changed: [...names].filter((each) => !isDeepStrictEqual(current[each], next[each])).sort() };
}
