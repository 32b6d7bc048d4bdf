import { createGauges, type Observation } from '@causeway/telemetry';

import type { FlowSample } from './flow-sampler.ts';

/** How {@link createFlowGauges} is wired. */
export interface FlowGaugesOptions {
  /** What was counted last, where this replica counts. */
  readonly sample: () => FlowSample | undefined;
  /** Declared here: told as 0 where nothing of theirs is parked. */
  readonly handlers: readonly string[];
  /** How many slots this replica leads now. */
  readonly slots: () => number;
}

/** A service has at most so many handlers; a name that is retired keeps what it has parked. */
const byHandler = (handlers: readonly string[], counts: ReadonlyMap<string, number> | undefined): Observation[] => {
  if (counts === undefined) return [];
  const names = new Set([...handlers, ...counts.keys()]);
  return [...names].map((handler) => ({ value: counts.get(handler) ?? 0, attributes: { handler } }));
};

/**
 * The gauges of what waits and of what has piled up in a service's database.
 *
 * @returns ends them
 */
export const createFlowGauges = ({ sample, handlers, slots }: FlowGaugesOptions): (() => void) => {
  const one = (read: (counted: FlowSample) => number) => (): Observation[] => {
    const counted = sample();
    return counted === undefined ? [] : [{ value: read(counted) }];
  };
  const sizes = (read: (size: { documents: number; bytes: number }) => number) => (): Observation[] =>
    [...(sample()?.sizes ?? [])].map(([collection, size]) => ({ value: read(size), attributes: { collection } }));
  const gauges = [
    createGauges(
      'causeway.outbox.events',
      { description: 'Events that were recorded and are not known to be published', unit: '{event}' },
      one(({ unpublished }) => unpublished),
    ),
    createGauges(
      'causeway.outbox.oldest.age',
      { description: 'Age of the oldest event that is not known to be published; 0: there is none', unit: 's' },
      one(({ oldestMs }) => oldestMs / 1000),
    ),
    createGauges(
      'causeway.parked.events',
      { description: 'Events that wait in the parking lot for an administrator', unit: '{event}' },
      () => byHandler(handlers, sample()?.parked),
    ),
    createGauges(
      'causeway.parked.subjects',
      { description: 'Subjects whose later events wait behind a parked one: open lanes', unit: '{subject}' },
      () => byHandler(handlers, sample()?.lanes),
    ),
    createGauges(
      'causeway.collection.documents',
      {
        description:
          'Documents in what retention bounds: log, inbox, tombstones, idempotency keys, timers, sagas, orders',
        unit: '{document}',
      },
      sizes(({ documents }) => documents),
    ),
    createGauges(
      'causeway.collection.size',
      { description: 'Bytes in what retention bounds, uncompressed and without indexes', unit: 'By' },
      sizes(({ bytes }) => bytes),
    ),
    createGauges('causeway.relay.slots', { description: 'Slots that this replica leads', unit: '{slot}' }, () => [
      { value: slots() },
    ]),
  ];
  return () => {
    for (const end of gauges) end();
  };
};
