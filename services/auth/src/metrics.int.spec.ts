import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { readMetrics } from '@causeway/events/testing';
import type { ScrapedMetrics } from '@causeway/events/testing';
import { startTelemetry } from '@causeway/telemetry';

import { openTestAuth, signUp } from './testing/test-auth.ts';
import type { TestAuth } from './testing/test-auth.ts';

// Before anything is measured.
const telemetry = startTelemetry({ service: 'auth', version: '0', sampleRatio: 0 });
const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
const own = (text: string): string[] => [...new Set(text.match(/\bcauseway_auth_\w+/g))].sort();
const documented = own(
  read('docs/metrics.md')
    .split('\n')
    .map((line) => (line.startsWith('| `') ? (line.split('|')[1] ?? '') : ''))
    .join('\n'),
);
const exprs = [...read('deploy/observability/alerts.yaml').matchAll(/\n +expr: (.+)\n/g)];
const watched = own(exprs.map(([, expr = '']) => expr).join('\n'));

describe('what watches signing in', () => {
  let world: TestAuth;
  let metrics: ScrapedMetrics;

  before(async () => {
    world = await openTestAuth();
    const auth = await world.replica();
    const { email } = await signUp(auth);
    const body = { email, password: 'not the password' };
    assert.equal((await auth.call('POST /v1/auth/sign-in', { body })).status, 401);
    // What is counted in MongoDB is there after some seconds, and a mail once it has been sent.
    const deadline = performance.now() + 60_000;
    do {
      await delay(100);
      metrics = readMetrics(await telemetry.metricsText());
    } while (!documented.every((name) => metrics.names.has(name)) && performance.now() < deadline);
  });
  after(() => world.stop());

  it('is documented as it is exported', () => {
    const exported = [...metrics.names].filter((name) => name.startsWith('causeway_auth_')).sort();
    assert.deepEqual(exported, documented);
  });

  it('alerts on metrics that there are', () => {
    assert.ok(watched.length >= 4);
    for (const name of watched) assert.ok(metrics.names.has(name), `an alert is about ${name}, which nobody exports`);
  });

  it('tells what there is', () => {
    assert.ok((metrics.value('causeway_auth_key_age') ?? -1) >= 0);
    assert.equal(metrics.value('causeway_auth_guards_locked'), 0);
    assert.ok(metrics.value('causeway_auth_mails_waiting') !== undefined);
    assert.equal(metrics.value('causeway_auth_guesses_total', { path: 'password', outcome: 'wrong' }), 1);
  });
});
