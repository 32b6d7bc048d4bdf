import { defineFault, Fault } from '@causeway/contracts';

const requestTimeout = defineFault({
  code: 'request-timeout',
  category: 'invalid-request',
  title: 'The request did not arrive in time',
  description: 'The request was begun and not completed. Send it again.',
});

/** RFC 9110 §15.5.9: a status of its own, and the end of the connection. */
export class RequestTimeout extends Fault {
  constructor() {
    super(requestTimeout.declaration, { headers: { Connection: 'close' } });
  }

  override get status(): number {
    return 408;
  }
}
