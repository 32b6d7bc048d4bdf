import { Fault, type FaultDeclaration } from '@causeway/contracts';

/** What a client is told whose request stops on its way; also for the page about the problem. */
export const requestTimeoutDeclaration: FaultDeclaration = {
  code: 'request-timeout',
  category: 'invalid-request',
  title: 'The request did not arrive in time',
  description: 'The request was begun and not completed. Send it again.',
};

/** RFC 9110 §15.5.9: a status of its own, and the end of the connection. */
export class RequestTimeout extends Fault {
  constructor() {
    super(requestTimeoutDeclaration, { headers: { Connection: 'close' } });
  }

  override get status(): number {
    return 408;
  }
}
