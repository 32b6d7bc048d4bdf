import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { startTelemetry, type TelemetryOptions } from '@causeway/telemetry';

import { processSettings } from '../settings/base-settings.ts';
import { startTestService } from '../testing/test-service.ts';

type Processor = NonNullable<TelemetryOptions['spanProcessor']>;

const ended: Parameters<Processor['onEnd']>[0][] = [];
const spanProcessor: Processor = {
  onStart: () => undefined,
  onEnd: (span) => void ended.push(span),
  forceFlush: () => Promise.resolve(),
  shutdown: () => Promise.resolve(),
};
// Nothing is recorded but what a caller of ours records.
const telemetry = startTelemetry({ service: 'test', version: '1', sampleRatio: 0, spanProcessor });
after(() => telemetry.shutdown(1_000));

const traceId = '0af7651916cd43dd8448eb211c80319c';
const recorded = `00-${traceId}-b7ad6b7169203331-01`;

/** The spans of requests, in order: the last one is recorded, so that all before it have ended. */
const spansOf = async (requests: readonly Record<string, string>[], edge = false) => {
  ended.length = 0;
  await using service = await startTestService([], { edge });
  for (const headers of requests) await service.fetch('/', { headers });
  if (!edge) {
    await service.fetch('/', { headers: { ...service.internalHeaders, traceparent: recorded } });
    const deadline = performance.now() + 60_000;
    while (ended.length === 0) {
      assert.ok(performance.now() < deadline, 'a span of our caller is recorded');
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  return [...ended];
};

describe('the trace of a request', () => {
  it('goes on where another service asks, and records what it records', async () => {
    const spans = await spansOf([]);
    assert.equal(spans.length, 1);
    assert.equal(spans[0]?.spanContext().traceId, traceId);
    assert.equal(spans[0].parentSpanContext?.spanId, 'b7ad6b7169203331');
  });

  it('is not recorded because a caller says so who is none of ours', async () => {
    const spans = await spansOf([{ traceparent: recorded }, { traceparent: recorded, 'causeway-internal': 'no key' }]);
    assert.equal(spans.length, 1, 'but for the one of our caller');
    assert.equal((await spansOf([{ traceparent: recorded }], true)).length, 0, 'nor at the edge');
  });

  it('is recorded once in ten times where nothing else is set', () => {
    assert.equal(processSettings.traceSampleRatio.default, 0.1);
  });
});
