import { defineFault } from '@causeway/contracts';

/** What redriving and discarding may be refused with. */
export const redriveFaults = {
  notParked: defineFault({
    code: 'not-parked',
    category: 'conflict',
    title: 'The event is not parked',
    description: 'It has been handled, redriven or discarded meanwhile. Its effects say what became of it.',
  }),
  redriveRunning: defineFault({
    code: 'redrive-running',
    category: 'conflict',
    title: 'A redrive of this is running already',
    description: 'Wait until it has ended: it takes what you mean to redrive along.',
  }),
  unreadable: defineFault({
    code: 'unreadable',
    category: 'unprocessable',
    title: 'What is parked is no event',
    description: 'Its bytes could not be read, so no handler can be given it. It can be discarded.',
  }),
  handlerGone: defineFault({
    code: 'handler-gone',
    category: 'unprocessable',
    title: 'The service has no such handler any more',
    description: 'Nothing can handle the event again. Bring the handler back, or discard the event.',
  }),
} as const;
