import { defineFault } from '@causeway/contracts';

/** What a replay may be refused with. */
export const replayFaults = {
  unknownHandler: defineFault({
    code: 'unknown-handler',
    category: 'unprocessable',
    title: 'The service has no such handler',
    description: 'Name one that the service declares, or leave it out to mean all of them.',
  }),
  noHandlers: defineFault({
    code: 'no-handlers',
    category: 'unprocessable',
    title: 'The service handles no events',
    description: 'There is nothing in it that could go through past events.',
  }),
  noLog: defineFault({
    code: 'no-log',
    category: 'unprocessable',
    title: 'The service has no way to a log that it would read',
    description:
      'Nothing that is tried again can change that: tell the service where the one that publishes these events is (`producerLogs` of ' +
      '`createEvents`; the addresses of the services in their settings).',
  }),
  reachesOutside: defineFault({
    code: 'reaches-outside',
    category: 'unprocessable',
    title: 'The handler has effects outside of the platform',
    description:
      'What it does with past events cannot be taken back: mail goes out. Say `external: true` where that is meant. What it is known to ' +
      'have done is not done again.',
  }),
  replayRunning: defineFault({
    code: 'replay-running',
    category: 'conflict',
    title: 'A replay of this handler is running already',
    description: 'Wait until it has ended: events of one subject go through a handler in one order.',
  }),
  replayEnded: defineFault({
    code: 'replay-ended',
    category: 'conflict',
    title: 'The replay has ended',
    description: 'There is nothing left of it to stop. What it has done stays done.',
  }),
  catchingUp: defineFault({
    code: 'catching-up',
    category: 'conflict',
    title: 'The handler is new, and has not caught up yet',
    description: 'It goes through all that was published before it was there, and takes what you mean to replay along.',
  }),
} as const;
