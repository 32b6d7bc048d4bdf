import { z } from 'zod';

import { defineEvent } from './event-contract.ts';

const removal = { accountId: z.string() };
const counts = z.record(z.string(), z.number().int());
const common = { version: 1, thing: 'removal' } as const;

/**
 * What a service does to remove a person whom `auth` erases. Each service records its own, about a document that stays: the
 * marker that no late event gets past.
 *
 * @param service - such as `user`
 */
export const removalOf = (service: string) => ({
  removalBegun: defineEvent({
    ...common,
    type: `${service}.removal.begun`,
    description: 'The service knows that a person is to be removed: nothing of them comes into being any more.',
    data: removal,
  }),
  removalContinued: defineEvent({
    ...common,
    type: `${service}.removal.continued`,
    description: 'A part of what the service has of a person is removed; the next part follows.',
    data: { ...removal, step: z.string(), counts },
  }),
  removalPrepared: defineEvent({
    ...common,
    type: `${service}.removal.prepared`,
    description:
      'What others could see of a person is removed. The service goes over it once more when their tokens have expired.',
    data: { ...removal, counts },
  }),
  removalCompleted: defineEvent({
    ...common,
    type: `${service}.removal.completed`,
    description:
      "The service's database holds nothing of a person any more but the id; `kafkaUntil` is when Kafka has dropped what it has published.",
    data: { ...removal, counts, kafkaUntil: z.string().optional() },
  }),
});
