import { createCounter } from '@causeway/telemetry';

let counter: ReturnType<typeof createCounter> | undefined;

/** Writes that were refused because of what their document still has to publish. Made at first use: by then telemetry runs. */
export const refusedWrites = (): Pick<ReturnType<typeof createCounter>, 'add'> =>
  (counter ??= createCounter('causeway.outbox.refused', {
    description: 'Writes that were answered 503 because their document had too many unpublished events',
    unit: '{write}',
  }));
