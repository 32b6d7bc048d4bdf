import { readFileSync } from 'node:fs';
import path from 'node:path';

import { CliError } from './cli-error.ts';
import { plain } from './output.ts';

/** One call takes no longer; effects may be waited for as long as the API allows. */
const patienceMs = 40_000;

/** The embedded platform's own, in the folder of its data. */
const defaults = { url: 'http://127.0.0.1:8080', email: 'admin@causeway.local' };

/** What a call sends besides method and path. */
export interface Sent {
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly json?: unknown;
}

/** A platform, and an administrator who is signed in to it. */
export interface Gateway {
  /** @throws {@link CliError} in the words of the problem document */
  call(
    method: 'GET' | 'POST' | 'DELETE',
    target: string,
    sent?: Sent,
  ): Promise<{ readonly headers: Headers; readonly body: unknown }>;
}

interface Problem {
  readonly title?: string;
  readonly detail?: string;
  readonly code?: string;
  readonly requestId?: string;
  readonly errors?: readonly { readonly parameter?: string; readonly pointer?: string; readonly message: string }[];
}

const wordsOf = ({ title, detail, code, requestId, errors = [] }: Problem, status: number): string =>
  [
    `${title ?? `the platform answers ${status}`}${code === undefined ? '' : ` (${code})`}`,
    ...(detail === undefined ? [] : [detail]),
    ...errors.map(({ parameter, pointer, message }) => `  ${parameter ?? pointer ?? ''}: ${message}`),
    ...(requestId === undefined ? [] : [`request ${requestId}`]),
  ]
    .map(plain)
    .join('\n');

const passwordOf = (env: NodeJS.ProcessEnv): string => {
  const { CAUSEWAY_ADMIN_PASSWORD: given, CAUSEWAY_HOME: home = '.causeway' } = env;
  if (given !== undefined) return given;
  const file = path.resolve(home, 'admin-password');
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    throw new CliError(
      `nobody to sign in as: set CAUSEWAY_TOKEN, or CAUSEWAY_ADMIN_EMAIL and CAUSEWAY_ADMIN_PASSWORD; there is no ${file} either`,
    );
  }
};

const checkAddress = (base: string): void => {
  const url = URL.canParse(base) ? new URL(base) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) throw new CliError('CAUSEWAY_URL is no http URL', 2);
  if (url.username !== '' || url.password !== '') {
    throw new CliError('CAUSEWAY_URL holds a name or a password: leave them out, and set CAUSEWAY_TOKEN', 2);
  }
};

/**
 * Signs in to a platform: with `CAUSEWAY_TOKEN`; or as `CAUSEWAY_ADMIN_EMAIL` with `CAUSEWAY_ADMIN_PASSWORD`, or with the password
 * that the embedded platform keeps in its home. `CAUSEWAY_URL` says where.
 *
 * @param env - `process.env`
 * @throws {@link CliError}
 */
export const signIn = async (env: NodeJS.ProcessEnv): Promise<Gateway> => {
  const { CAUSEWAY_URL: base = defaults.url, CAUSEWAY_ADMIN_EMAIL: email = defaults.email } = env;
  let token = env.CAUSEWAY_TOKEN;
  checkAddress(base);
  // Said without it: what is shown on a terminal is kept somewhere.
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) throw new CliError('CAUSEWAY_TOKEN is no token', 2);

  const call: Gateway['call'] = async (method, target, { query = {}, json } = {}) => {
    const url = new URL(target, base);
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value);
    let response: Response;
    try {
      response = await fetch(url, {
        method,
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(json === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(json === undefined ? {} : { body: JSON.stringify(json) }),
        signal: AbortSignal.timeout(patienceMs),
      });
    } catch (error) {
      const reason = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
      throw new CliError(`${base} does not answer (${reason}): is the platform running, and CAUSEWAY_URL right?`);
    }
    const text = await response.text();
    const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '');
    const body: unknown = isJson ? JSON.parse(text) : text;
    if (!response.ok) throw new CliError(wordsOf(isJson ? (body as Problem) : {}, response.status));
    return { headers: response.headers, body };
  };

  if (token === undefined) {
    const credentials = { email, password: passwordOf(env) };
    const { body } = await call('POST', '/v1/auth/sign-in', { json: credentials });
    token = (body as { readonly accessToken: string }).accessToken;
  }
  return { call };
};
