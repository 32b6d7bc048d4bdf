import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { telemetryOptions } from './config.ts';

describe('what telemetry starts with', () => {
  it('records one trace in ten, unless a share is set that is one', () => {
    for (const text of [undefined, '', 'much', '-1', '2']) {
      assert.equal(telemetryOptions({ TRACE_SAMPLE_RATIO: text }).sampleRatio, 0.1, text);
    }
    for (const ratio of [0, 0.5, 1]) {
      assert.equal(telemetryOptions({ TRACE_SAMPLE_RATIO: String(ratio) }).sampleRatio, ratio);
    }
  });

  it('sends nothing anywhere unless it is told where', () => {
    assert.equal(telemetryOptions({}).otlpEndpoint, undefined);
    assert.equal(telemetryOptions({ OTEL_EXPORTER_OTLP_ENDPOINT: '' }).otlpEndpoint, undefined);
  });
});
