/**
 * Moments at which a process may end or stand still without harm:
 *
 * - `recorded`: a write is committed, with its event; the relay has not been told. Never waited for
 * - `relay.taken`: a relay has rows with events in hand; nothing of them is in the log
 * - `relay.logged`: the events are in the log, not in Kafka
 * - `relay.published`: they are in Kafka; their rows still carry them
 * - `consumer.handled`: an event has had its effect, or is parked; its offset is not committed
 */
export const failpoints = ['recorded', 'relay.taken', 'relay.logged', 'relay.published', 'consumer.handled'] as const;

/** One of {@link failpoints}. */
export type FailpointName = (typeof failpoints)[number];

/** Called at each failpoint; what it returns is waited for. For tests, which end the process there, or hold it up. */
export type Failpoint = (name: FailpointName) => void | Promise<void>;

/** What comes to a failpoint each time that it has done its work; where there is none it stays as it is. */
export const thenFailpoint = <Args extends unknown[], Result>(
  name: FailpointName,
  failpoint: Failpoint | undefined,
  work: (...args: Args) => Promise<Result>,
): ((...args: Args) => Promise<Result>) => {
  if (failpoint === undefined) return work;
  return async (...args) => {
    const result = await work(...args);
    await failpoint(name);
    return result;
  };
};
