import { addressOf } from './platform.ts';
import { noteToken } from './secrets-used.ts';

/** What a browser says where a page of this origin, or of another one, sends something. */
export const own = { 'sec-fetch-site': 'same-origin' } as const;
export const foreign = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' } as const;

/** What was answered to a browser, read. */
export interface Seen {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** A browser, as far as it keeps cookies. */
export interface Browser {
  (path: string, init?: RequestInit): Promise<Seen>;
  /** By name. */
  readonly cookies: Map<string, string>;
}

/** Opens one that has never been anywhere. */
export const openBrowser = (): Browser => {
  const cookies = new Map<string, string>();
  const browse = async (path: string, init: RequestInit = {}): Promise<Seen> => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = Object.assign(cookie === '' ? {} : { cookie }, init.headers);
    const answer = await fetch(`${addressOf('gateway')}${path}`, { redirect: 'manual', ...init, headers });
    for (const each of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(each) ?? [];
      if (each.includes('Max-Age=0')) cookies.delete(name);
      else cookies.set(name, value);
      noteToken(name, value === '' ? undefined : value);
    }
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  };
  return Object.assign(browse, { cookies });
};

/** The token in the form of a page. */
export const csrfOf = ({ text }: Seen): string => /name="csrf" value="([^"]+)"/.exec(text)?.[1] ?? '';
