import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';

const original = RequestQueue.prototype.scheduleCheckPendingRequests;

/**
 * Without throttling kafkajs sets a timer with a negative delay, which fires after 1 ms and sets the next, on every connection for ever;
 * Node 24 warns of it (`TimeoutNegativeWarning`). Here the timer is set only where there is something to wait for.
 */
export function mendRequestQueue(): void {
  RequestQueue.prototype.scheduleCheckPendingRequests = function (this: RequestQueue): void {
    if (this.pending.length > 0 || this.throttledUntil > Date.now()) original.call(this);
  };
}
