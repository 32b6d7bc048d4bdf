/** Events that are remembered; some 200 bytes each, and more of those that many handlers take. */
const mostEvents = 2_000;

/** What came of the first delivery of an event, since it was last the first of its subject that a partition brought. */
export interface FirstDeliveries {
  /** A partition has brought it as the first of its subject, since it is ours: what came of it before, under another assignment, is no matter. */
  begin(event: string): void;
  /** @param again - whether the handler had the event already */
  note(handler: string, event: string, again: boolean): void;
  /** Whether a handler had an event before it was brought first; false where nobody knows any more. */
  cameAgain(handler: string, event: string): boolean;
}

/** Makes the memory of one process. */
export const createFirstDeliveries = (): FirstDeliveries => {
  const deliveries = new Map<string, Map<string, boolean>>();
  return {
    begin: (event) => void deliveries.delete(event),
    note(handler, event, again) {
      const known = deliveries.get(event);
      if (known?.has(handler) === true) return;
      if (known !== undefined) {
        known.set(handler, again);
        return;
      }
      deliveries.set(event, new Map([[handler, again]]));
      if (deliveries.size <= mostEvents) return;
      for (const oldest of deliveries.keys()) {
        deliveries.delete(oldest);
        return;
      }
    },
    cameAgain: (handler, event) => deliveries.get(event)?.get(handler) === true,
  };
};
