import { createCounter } from '@causeway/telemetry';

const refused = createCounter('causeway.gateway.limited', { description: 'Calls refused by a limit.' });

/** @param budget - the limit that refused a call */
export const countRefused = (budget: string): void => refused.add(1, { budget });
