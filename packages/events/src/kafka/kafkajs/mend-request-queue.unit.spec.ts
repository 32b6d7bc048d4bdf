import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';

import { shiftClock } from '../../faults/replica/shifted-clock.ts';
import { mendRequestQueue } from './mend-request-queue.ts';

const setClock = shiftClock();
const fiveMinutesMs = 300_000;

describe('a request to a broker', () => {
  const queues: RequestQueue[] = [];
  mendRequestQueue();

  /** A request that nobody answers. */
  const ask = (requestTimeout: number): Promise<unknown> => {
    const logger = { debug: () => undefined, warn: () => undefined };
    const options = {
      maxInFlightRequests: null,
      requestTimeout,
      enforceRequestTimeout: true,
      clientId: 'c',
      broker: 'b',
    };
    const queue = new RequestQueue({ ...options, logger });
    queues.push(queue);
    queue.scheduleRequestTimeoutCheck();
    return new Promise((resolve, reject) => {
      const entry = { apiKey: 0, apiName: 'Produce', apiVersion: 7, correlationId: 1, resolve, reject };
      queue.push({ entry, expectResponse: true, sendRequest: () => undefined });
    });
  };

  afterEach(() => {
    setClock(0);
    for (const queue of queues.splice(0)) queue.destroy();
  });

  it('is not out of time for a wall clock that jumps ahead', async () => {
    const asked = ask(60_000);
    setClock(fiveMinutesMs);
    // The queue looks ten times a second.
    assert.equal(await Promise.race([asked, delay(500, 'waits')]), 'waits');
  });

  it('is out of time all the same for one that jumps back', async () => {
    const asked = ask(150);
    setClock(-fiveMinutesMs);
    const ended = asked.catch((error: unknown) => (error as Error).name);
    assert.equal(await Promise.race([ended, delay(20_000, 'waits', { ref: false })]), 'KafkaJSRequestTimeoutError');
  });
});
