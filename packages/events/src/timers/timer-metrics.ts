import { createCounter, createDurationHistogram, createGauge } from '@causeway/telemetry';

/** What is measured of timers. */
export interface TimerMetrics {
  /** An event was recorded, so many milliseconds after the time that it was scheduled for. */
  released(lateMs: number): void;
  /** A release cannot succeed now, and is put off. */
  putOff(): void;
}

/**
 * The metrics of a service's timers.
 *
 * @param waiting - how many wait in the slots that this replica leads, as of the last count
 */
export const createTimerMetrics = (waiting: () => number | undefined): TimerMetrics => {
  const lateness = createDurationHistogram('causeway.timers.lateness', 'From the time of a timer to its event');
  const putOff = createCounter('causeway.timers.put_off', {
    description: 'Releases that cannot succeed, and are tried again later',
  });
  createGauge('causeway.timers.waiting', { description: 'Timers that wait for their time', unit: '{timer}' }, waiting);
  return {
    released: (lateMs) => lateness.record(Math.max(0, lateMs) / 1000),
    putOff: () => putOff.add(1),
  };
};
