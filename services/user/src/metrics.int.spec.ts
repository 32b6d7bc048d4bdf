import { readMetrics, type ScrapedMetrics } from '@causeway/events/testing';
import { startTelemetry } from '@causeway/telemetry';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { openTestUser, type TestUser } from './testing/test-user.ts';

const telemetry = startTelemetry({ service: 'user', version: '0', sampleRatio: 0 });

const read = (name: string): string =>
  readFileSync(new URL(`../../../deploy/observability/${name}`, import.meta.url), 'utf8');

/** The metrics that an expression of PromQL names. */
const namesIn = (expression: string): string[] =>
  [...expression.matchAll(/\b(?:causeway|messaging|http)_[a-z_]+\b/g)]
    .map(([name]) => name)
    .filter((name) => !name.startsWith('messaging_destination'));

/** Of a histogram's series: the histogram. */
const familyOf = (name: string, families: ReadonlySet<string>): string =>
  families.has(name) ? name : name.replace(/_(?:bucket|sum|count)$/, '');

interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets: readonly { readonly expr: string }[] }[];
}

const alerts = read('alerts.yaml');
const rules = [...alerts.matchAll(/- alert: (\w+)\n +expr: (.+)\n/g)].map(([, alert = '', expr = '']) => ({
  alert,
  expr,
}));
/** What is about signing in is for auth. */
const ownRules = rules.filter(({ expr }) => !namesIn(expr).some((name) => name.startsWith('causeway_auth_')));
const { panels } = JSON.parse(read('events-dashboard.json')) as Dashboard;
/** Every metric that somebody looks at. */
const watched = [...ownRules, ...panels.flatMap(({ targets }) => targets)].flatMap(({ expr }) => namesIn(expr));

describe('what watches this service', () => {
  let world: TestUser;
  let metrics: ScrapedMetrics;
  before(async () => {
    world = await openTestUser();
    const { id } = await world.createAccount();
    assert.equal((await world.call('GET /v1/users/me', { as: id })).status, 200);
    // What is counted in MongoDB is there after the first count, and what an event took once it has been settled.
    const deadline = performance.now() + 30_000;
    await world.published.waitFor((event) => event.subject === `profile/${id}`);
    metrics = readMetrics(await telemetry.metricsText());
    while (!isComplete(metrics) && performance.now() < deadline) {
      await sleep(50);
      metrics = readMetrics(await telemetry.metricsText());
    }
  });
  after(() => world.stop());

  const isComplete = ({ names, value }: ScrapedMetrics): boolean =>
    watched.every((name) => names.has(familyOf(name, names))) &&
    value('causeway_outbox_events') !== undefined &&
    (value('causeway_handler_latency_count') ?? 0) > 0 &&
    (value('causeway_relay_latency_count') ?? 0) > 0;

  const assertExported = (what: string, expression: string): void => {
    const names = namesIn(expression);
    assert.ok(names.length > 0, `${what} names no metric: ${expression}`);
    for (const name of names) {
      assert.ok(metrics.names.has(familyOf(name, metrics.names)), `${what} is about ${name}, which nobody exports`);
    }
  };

  it('alerts on metrics that there are', () => {
    assert.ok(ownRules.length >= 9);
    assert.equal(rules.length, alerts.split('- alert:').length - 1, 'an expression is one line');
    for (const { alert, expr } of ownRules) assertExported(alert, expr);
  });

  it('shows metrics that there are', () => {
    assert.ok(panels.length >= 15);
    for (const { title, targets } of panels) for (const { expr } of targets) assertExported(title, expr);
  });

  it('tells whose each of them is', async () => {
    const samples = (await telemetry.metricsText()).split('\n').filter((line) => line.startsWith('causeway_'));
    assert.ok(samples.length > 0);
    for (const sample of samples) assert.match(sample, /service_name="user"/);
  });
});
