import { randomUUID } from 'node:crypto';
import { startPlatform, type TestPlatform } from '@causeway/stack/testing';
import { request } from 'undici';
import { testLimits } from '../harness/limits.ts';

/** A platform to be measured, and somebody who uses it. */
export interface BenchPlatform {
  readonly platform: TestPlatform;
  readonly gateway: string;
  /** Settings of its services besides the platform's own: another gateway is to have them too. */
  readonly gatewayEnv: Readonly<Record<string, string>>;
  /** @returns headers of somebody who has just signed in: tokens live for five minutes */
  readonly signedIn: () => Promise<Readonly<Record<string, string>>>;
  /**
   * @param headers - of {@link signedIn}
   * @returns the same, and how far the caller has seen, as a client that lets itself be answered from caches sends it
   */
  readonly havingSeen: (headers: Readonly<Record<string, string>>) => Promise<Readonly<Record<string, string>>>;
  readonly call: (method: string, path: string, sent: Sent) => Promise<Got>;
}

/** What a call of the bench sends. */
export interface Sent {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly type?: string;
}

/** What it gets. */
export interface Got {
  readonly status: number;
  readonly body: unknown;
  /** The events that the call recorded. */
  readonly events: readonly string[];
}

/** Starts a platform; limits on calls are out of the way. */
export async function startBenchPlatform(
  dir: string,
  env: Readonly<Record<string, string>> = {},
): Promise<BenchPlatform> {
  const platform = await startPlatform({ dir, freePorts: true, env: { ...testLimits, ...env } });
  const gateway = platform.urls.gateway;
  if (gateway === undefined) throw new Error('there is no gateway to measure');
  const call: BenchPlatform['call'] = async (method, path, { headers, body, type = 'application/json' }) => {
    const response = await request(new URL(path, gateway), {
      method: method as 'GET',
      headers: { ...headers, ...(body === undefined ? {} : { 'content-type': type }) },
      body: body ?? null,
    });
    const text = await response.body.text();
    if (response.statusCode >= 400) throw new Error(`${method} ${path} → ${response.statusCode} ${text}`);
    const events = String(response.headers['causeway-event'] ?? '').split(', ');
    return { status: response.statusCode, body: text === '' ? undefined : JSON.parse(text), events };
  };
  const signIn = async (): Promise<Readonly<Record<string, string>>> => {
    const body = JSON.stringify({ email: platform.adminEmail, password: platform.adminPassword });
    const got = await call('POST', '/v1/auth/sign-in', { body });
    return { authorization: `Bearer ${(got.body as { accessToken: string }).accessToken}` };
  };
  const havingSeen: BenchPlatform['havingSeen'] = async (headers) => {
    const response = await request(new URL('/v1/collections', gateway), { headers });
    await response.body.dump();
    return { ...headers, 'causeway-after': String(response.headers['causeway-position']) };
  };
  return { platform, gateway, gatewayEnv: env, signedIn: signIn, havingSeen, call };
}

/** A record of the size that applications have. */
export const recordBody = (title: string): string =>
  JSON.stringify({ title, status: 'published', score: 7, tags: ['a', 'b'] });

/** Makes a collection of so many records. */
export async function makeCollection(bench: BenchPlatform, size: number): Promise<{ path: string; ids: string[] }> {
  const headers = await bench.signedIn();
  const name = `bench-${randomUUID().slice(0, 8)}`;
  const text = { type: 'string' };
  const properties = { title: text, status: text, score: { type: 'number' }, tags: { type: 'array', items: text } };
  const signedIn = 'signed-in';
  const rules = { read: signedIn, create: signedIn, update: signedIn, delete: signedIn };
  const indexes = [{ keys: { status: 1, score: -1 } }];
  const definition = JSON.stringify({ schema: { type: 'object', properties }, indexes, rules });
  await bench.call('PUT', `/v1/collections/${name}`, { headers, body: definition });
  const path = `/v1/data/${name}`;
  const body = Array.from({ length: size }, (_, index) => recordBody(`Record ${index}`)).join('\n');
  await bench.call('POST', path, { headers, body, type: 'application/x-ndjson' });
  const exported = await request(new URL(path, bench.gateway), {
    headers: { ...headers, accept: 'application/x-ndjson' },
  });
  const lines = (await exported.body.text()).trimEnd().split('\n');
  return { path, ids: lines.map((line) => (JSON.parse(line) as { id: string }).id) };
}
