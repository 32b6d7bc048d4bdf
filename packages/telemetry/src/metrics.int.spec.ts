import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { createCounter, createGauges, type Observation } from './metrics.ts';
import { startTelemetry, type Telemetry } from './start-telemetry.ts';

describe('metrics', () => {
  let telemetry: Telemetry;
  before(() => {
    telemetry = startTelemetry({ service: 'measured', version: '0', sampleRatio: 0 });
  });
  after(() => telemetry.shutdown(1_000));

  it('tell whose they are, however they are scraped', async () => {
    createCounter('test.rises', { description: 'A counter.' }).add(0, { kind: 'x' });
    assert.match(
      await telemetry.metricsText(),
      /^test_rises_total\{(?=[^}]*service_name="measured")[^}]*kind="x"[^}]*\} 0$/m,
    );
  });

  it('of a gauge are what it is now: what is gone is not told any more', async () => {
    let now: Observation[] = [
      { value: 1, attributes: { of: 'a' } },
      { value: 2, attributes: { of: 'b' } },
    ];
    const end = createGauges('test.level', { description: 'A gauge.' }, () => now);
    const told = async () => [
      ...(await telemetry.metricsText()).matchAll(/^test_level\{[^}]*of="(\w)"[^}]*\} (\d)$/gm),
    ];
    assert.deepEqual(
      (await told()).map(([, of, value]) => [of, value]),
      [
        ['a', '1'],
        ['b', '2'],
      ],
    );
    now = [{ value: 3, attributes: { of: 'b' } }];
    assert.deepEqual(
      (await told()).map(([, of, value]) => [of, value]),
      [['b', '3']],
    );
    end();
    assert.deepEqual(await told(), []);
  });
});
