import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MongoServerError } from 'mongodb';

import { faultOfError } from './fault-of-error.ts';
import { isUnknownOutcome } from './unknown-outcome.ts';

describe('an error of a write', () => {
  it('by a primary that steps down leaves open what came of it, and is an outage, also without a label of the driver', () => {
    // InterruptedDueToReplStateChange, PrimarySteppedDown, NotWritablePrimary, as of one write.
    for (const code of [11602, 189, 10107]) {
      const error = new MongoServerError({ message: 'it steps down', code });
      assert.equal(isUnknownOutcome(error), true, `${code}`);
      assert.equal(faultOfError(error)?.category, 'unavailable', `${code}`);
    }
  });

  it('that MongoDB refuses leaves nothing open', () => {
    // DocumentValidationFailure, DuplicateKey
    for (const code of [121, 11000]) {
      const error = new MongoServerError({ message: 'no', code });
      assert.equal(isUnknownOutcome(error), false, `${code}`);
      assert.equal(faultOfError(error), undefined, `${code}`);
    }
  });
});
