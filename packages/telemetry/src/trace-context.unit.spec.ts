import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { formatTraceparent, parseTraceparent } from './trace-context.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';

describe('traceparent', () => {
  it('is read and written as the standard has it', () => {
    const span = parseTraceparent(`00-${traceId}-${spanId}-01`);
    assert.deepEqual(span, { traceId, spanId, traceFlags: 1, isRemote: true });
    assert.equal(formatTraceparent(span), `00-${traceId}-${spanId}-01`);
  });

  it('keeps only the flag that is known', () => {
    assert.equal(parseTraceparent(`00-${traceId}-${spanId}-ff`)?.traceFlags, 1);
  });

  it('is read from a later version with more fields', () => {
    assert.equal(parseTraceparent(`cc-${traceId}-${spanId}-01-what-is-to-come`)?.traceId, traceId);
  });

  for (const malformed of [
    undefined,
    '',
    `ff-${traceId}-${spanId}-01`,
    `00-${'0'.repeat(32)}-${spanId}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `00-${traceId.toUpperCase()}-${spanId}-01`,
    `00-${traceId}-${spanId}`,
    `00-${traceId}-${spanId}-01x`,
  ]) {
    it(`is passed over when it is ${JSON.stringify(malformed)}`, () => {
      assert.equal(parseTraceparent(malformed), undefined);
    });
  }
});
