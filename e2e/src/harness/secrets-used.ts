import { appendFileSync, readFileSync } from 'node:fs';
import { type Needle, shortestNeedle } from './byte-finder.ts';
import { platform } from './platform.ts';

/** Members of bodies whose values are nobody else's business. */
const secretNames = new Set([
  ...['password', 'currentPassword', 'newPassword', 'accessToken', 'refreshToken', 'deviceToken', 'mfaToken'],
  ...['token', 'link', 'ticket', 'recoveryCode', 'recoveryCodes', 'codes', 'secret'],
]);

/** What is longer was not meant to be anybody's secret. */
const longestSecret = 4_096;

const noted = new Set<string>();

const write = (what: string, text: string): void => {
  if (platform.secrets === undefined || noted.has(text)) return;
  if (Buffer.byteLength(text) < shortestNeedle || text.length > longestSecret) return;
  noted.add(text);
  appendFileSync(platform.secrets, `${JSON.stringify({ what, text } satisfies Needle)}\n`, { mode: 0o600 });
};

/** Of an access token, its signature: the rest of it opens nothing. */
const secretPart = (token: string): string => /^[\w-]+\.[\w-]+\.([\w-]{40,})$/.exec(token)?.[1] ?? token;

/** Keeps what a call has sent or was answered, so that it can be looked for where it must not be. */
export function noteSecrets(what: string, value: unknown, name = ''): void {
  if (typeof value === 'string') {
    if (secretNames.has(name)) write(`${name} of ${what}`, secretPart(value));
  } else if (Array.isArray(value)) {
    for (const each of value) noteSecrets(what, each, name);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, each] of Object.entries(value)) noteSecrets(what, each, key);
  }
}

/** Keeps the credential of a call. */
export const noteToken = (what: string, token: string | undefined): void => {
  if (token !== undefined) write(`token of ${what}`, secretPart(token));
};

/** @returns every secret that a spec of this run has used so far */
export const secretsUsed = (file: string): Needle[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Needle);
