import RequestQueue, { type SocketRequest } from 'kafkajs/src/network/requestQueue/index.js';

const original = RequestQueue.prototype.scheduleCheckPendingRequests;

/** As often as kafkajs looks, in milliseconds. */
const lookEveryMs = 100;

/**
 * Two things that kafkajs does by the wall clock.
 *
 * Without throttling it sets a timer with a negative delay, which fires after 1 ms and sets the next, on every connection for ever; Node 24
 * warns of it (`TimeoutNegativeWarning`). Here the timer is set only where there is something to wait for.
 *
 * And it tells by the time of day how long an answer is due: where that jumps ahead, all that is under way is out of time at once, its
 * connection is dropped, and on a busy machine it is published again; where it jumps back, what hangs is waited for by so much longer. Here
 * a monotonic clock tells.
 */
export function mendRequestQueue(): void {
  RequestQueue.prototype.scheduleCheckPendingRequests = function (this: RequestQueue): void {
    if (this.pending.length > 0 || this.throttledUntil > Date.now()) original.call(this);
  };
  RequestQueue.prototype.scheduleRequestTimeoutCheck = function (this: RequestQueue): void {
    if (!this.enforceRequestTimeout) return;
    this.destroy();
    const since = new WeakMap<SocketRequest, number>();
    this.requestTimeoutIntervalId = setInterval(
      () => {
        const now = performance.now();
        for (const request of [...this.inflight.values()]) {
          const sentMs = since.get(request) ?? now;
          since.set(request, sentMs);
          if (now - sentMs > request.requestTimeout) request.timeoutRequest();
        }
        if (!this.isConnected()) this.destroy();
      },
      Math.min(this.requestTimeout, lookEveryMs),
    );
  };
}
