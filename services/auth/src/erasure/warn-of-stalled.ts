import { erasureStalled } from '@causeway/contracts';
import { onEvent } from '@causeway/events';
import type { Handler } from '@causeway/events';

/** @returns the handler that has an operator see in the log that an erasure hangs; the parking lot says where */
export const warnOfStalled = (logger: { warn(fields: Record<string, unknown>, message: string): void }): Handler =>
  onEvent.transaction({
    name: 'warn-of-stalled-erasure',
    on: [erasureStalled],
    handle({ data: { accountId, missing } }) {
      logger.warn({ accountId, missing }, 'an erasure is not done in time: see what is parked in these services');
      return Promise.resolve();
    },
  });
