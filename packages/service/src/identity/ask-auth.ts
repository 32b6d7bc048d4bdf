import { request } from 'undici';

import { internalKeyHeader } from '../http/internal-key.ts';
import type { AskWhichEnded } from './revocation-inquiry.ts';

/** Where auth says which tokens have ended. */
export const whichEndedPath = '/internal/revocations/check';

const timeoutMs = 1_000;
const longestAnswer = 65_536;

/** Where auth is, and what lets us ask it. */
export interface AskAuthOptions {
  readonly url: string;
  readonly internalKey: string;
}

const isIndex = (value: unknown, length: number): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) < length;

/** Anything but the answer that was asked for is no answer: it must not let anybody in. */
const readAnswer = (text: string, length: number): readonly boolean[] => {
  const { asked, ended } = JSON.parse(text) as { readonly asked?: unknown; readonly ended?: unknown };
  if (asked !== length || !Array.isArray(ended) || !ended.every((each) => isIndex(each, length)))
    throw new Error('auth gave no answer that fits the question');
  const which = new Set<number>(ended);
  return Array.from({ length }, (_, index) => which.has(index));
};

/** Asks auth over HTTP. */
export const askAuth = ({ url, internalKey }: AskAuthOptions): AskWhichEnded => {
  const address = new URL(whichEndedPath, url);
  return async (tokens, signal) => {
    const { statusCode, body } = await request(address, {
      method: 'POST',
      headers: { [internalKeyHeader]: internalKey, 'Content-Type': 'application/json' },
      body: JSON.stringify({
        tokens: tokens.map(({ sid, sub, accountVersion = 0 }) => ({ sid, sub, av: accountVersion })),
      }),
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      signal,
    });
    const text = await body.text();
    if (statusCode !== 200) throw new Error(`auth answered ${statusCode}`);
    if (text.length > longestAnswer) throw new Error('auth answered more than fits the question');
    return readAnswer(text, tokens.length);
  };
};
