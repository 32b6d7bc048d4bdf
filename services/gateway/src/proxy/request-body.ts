import type { IncomingMessage } from 'node:http';
import { Transform, type Readable } from 'node:stream';
import { faults, type Fault } from '@causeway/contracts';

/** A body grew beyond its limit while it was passed on. */
export class BodyTooLarge extends Error {
  override readonly name = 'BodyTooLarge';
  readonly fault: Fault;

  constructor(limitBytes: number) {
    super(`the body is larger than ${limitBytes} bytes`);
    this.fault = tooLarge(limitBytes);
  }
}

const tooLarge = (limitBytes: number): Fault =>
  faults.payloadTooLarge({ detail: `The body may hold at most ${limitBytes} bytes.`, extensions: { limitBytes } });

const counted = (request: IncomingMessage, limitBytes: number): Readable => {
  let bytes = 0;
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > limitBytes) done(new BodyTooLarge(limitBytes));
      else done(null, chunk);
    },
  });
  // A client that goes in the middle ends the body with an error, never as if it were whole.
  request.once('close', () => {
    if (!request.complete) counter.destroy(new Error('the client went while it sent its request'));
  });
  request.pipe(counter);
  return counter;
};

/**
 * The body to be passed on as it comes, never held as a whole.
 *
 * @param request - whose body is not read yet
 * @param limitBytes - inclusive
 * @returns null where the request has none
 * @throws Fault `payload-too-large` where its length says so; {@link BodyTooLarge} ends the stream where only its end does
 */
export const requestBody = (request: IncomingMessage, limitBytes: number): Readable | null => {
  const length = request.headers['content-length'];
  if (request.headers['transfer-encoding'] !== undefined) return counted(request, limitBytes);
  if (length === undefined || Number(length) === 0) return null;
  if (Number(length) > limitBytes) throw tooLarge(limitBytes);
  return request;
};
