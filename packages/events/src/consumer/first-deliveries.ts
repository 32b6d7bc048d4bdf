/** Remembered, over all handlers; some 200 bytes each. */
const mostDeliveries = 2_000;

/** What came of the first delivery of an event in this process. */
export interface FirstDeliveries {
  /** @param again - whether the handler had the event already */
  note(handler: string, event: string, again: boolean): void;
  /** Whether a handler had an event before this process first brought it; false where nobody knows any more. */
  cameAgain(handler: string, event: string): boolean;
}

/** Makes the memory of one process. */
export const createFirstDeliveries = (): FirstDeliveries => {
  const deliveries = new Map<string, boolean>();
  const keyOf = (handler: string, event: string): string => `${handler}/${event}`;
  return {
    note(handler, event, again) {
      const key = keyOf(handler, event);
      if (deliveries.has(key)) return;
      deliveries.set(key, again);
      if (deliveries.size <= mostDeliveries) return;
      for (const oldest of deliveries.keys()) {
        deliveries.delete(oldest);
        return;
      }
    },
    cameAgain: (handler, event) => deliveries.get(keyOf(handler, event)) === true,
  };
};
