import { defineEvent } from '@causeway/contracts';
import { z } from 'zod';

/** The two services of a run, and where they live. */
export interface FlowWorld {
  readonly mongodb: string;
  readonly kafka: string;
  /** Whose documents change. */
  readonly writer: string;
  /** Who makes a document of its own of each change. */
  readonly reader: string;
}

/** Slots of each service, and partitions of its topic: as many as the platform has by default. */
export const partitions = 12;

/** The events of both services. */
export const flowEvents = ({ writer, reader }: FlowWorld) => ({
  changed: defineEvent({
    type: `${writer}.item.changed`,
    version: 1,
    thing: 'item',
    description: 'An item has changed.',
    data: { title: z.string(), status: z.string(), score: z.number(), broken: z.boolean() },
  }),
  copied: defineEvent({
    type: `${reader}.copy.made`,
    version: 1,
    thing: 'copy',
    description: 'An item has been copied.',
    data: { title: z.string() },
  }),
});

/** Milliseconds since 1970 with fractions, on a clock that all processes of this machine share and that does not jump. */
export const clock = (): number => performance.timeOrigin + performance.now();

/** When something happened to an event: pairs of its id and {@link clock}. */
export type EventTimes = readonly (readonly [eventId: string, at: number])[];
