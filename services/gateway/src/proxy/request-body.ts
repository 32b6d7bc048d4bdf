import type { IncomingMessage } from 'node:http';
import { Transform, type Readable } from 'node:stream';
import { faults, type Fault } from '@causeway/contracts';
import { readBody } from '@causeway/service';

import { RequestTimeout } from './request-timeout.ts';

/** How long a client may take over its body. */
export interface BodyTimeouts {
  /** For a small body, from its first byte to its last. */
  readonly wholeMs: number;
  /** Between two pieces of a small body. */
  readonly wholeSilenceMs: number;
  /** Between two pieces of a body that streams, while the service waits for the next. */
  readonly streamSilenceMs: number;
}

/** What holds where nothing else is said. */
export const defaultBodyTimeouts: BodyTimeouts = { wholeMs: 10_000, wholeSilenceMs: 5_000, streamSilenceMs: 15_000 };

/** Up to here a body is taken in as a whole, before a service hears of the call. */
const largestWholeBytes = 64 * 1_024;

const tooLarge = (limitBytes: number): Fault =>
  faults.payloadTooLarge({ detail: `The body may hold at most ${limitBytes} bytes.`, extensions: { limitBytes } });

const whole = async (request: IncomingMessage, timeouts: BodyTimeouts): Promise<Buffer> => {
  const late = Promise.withResolvers<never>();
  const expire = (): void => late.reject(new RequestTimeout());
  const end = setTimeout(expire, timeouts.wholeMs);
  const silence = setTimeout(expire, timeouts.wholeSilenceMs);
  const onData = (): void => void silence.refresh();
  request.on('data', onData);
  try {
    return await Promise.race([readBody(request, largestWholeBytes), late.promise]);
  } finally {
    request.off('data', onData);
    clearTimeout(end);
    clearTimeout(silence);
  }
};

/** Ends a body whose client says nothing, though the service would take more. */
const endWhenSilent = (request: IncomingMessage, body: Transform, silenceMs: number): void => {
  const silence = setTimeout(() => {
    // Nothing is missing, or it is the service that is slow.
    if (request.complete) return;
    if (body.writableNeedDrain) silence.refresh();
    else body.destroy(new RequestTimeout());
  }, silenceMs);
  const heard = (): void => void silence.refresh();
  const done = (): void => clearTimeout(silence);
  request.on('data', heard);
  body.on('drain', heard).once('finish', done).once('close', done);
};

const streamed = (request: IncomingMessage, limitBytes: number, silenceMs: number): Readable => {
  let bytes = 0;
  const body = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > limitBytes) done(tooLarge(limitBytes));
      else done(null, chunk);
    },
  });
  // A client that goes in the middle ends the body with an error, never as if it were whole.
  request.once('close', () => {
    if (!request.complete) body.destroy(new Error('the client went while it sent its request'));
  });
  request.pipe(body);
  endWhenSilent(request, body, silenceMs);
  return body;
};

/**
 * The body to be passed on. One that is small is there as a whole, so that a client that stops in the middle keeps nobody from
 * the service; any other is passed on as it comes, never held as a whole.
 *
 * @param request - whose body is not read yet
 * @param limitBytes - inclusive
 * @param timeouts - how long the client may take
 * @returns null where the request has none
 * @throws Fault `payload-too-large` where its length says so, and {@link RequestTimeout} where a small one does not arrive;
 * both end the stream where it has begun. ClientGone where the client went while it sent a small one
 */
export const requestBody = (
  request: IncomingMessage,
  limitBytes: number,
  timeouts: BodyTimeouts = defaultBodyTimeouts,
): Readable | Promise<Buffer> | null => {
  const chunked = request.headers['transfer-encoding'] !== undefined;
  const length = Number(request.headers['content-length'] ?? 0);
  if (!chunked && length === 0) return null;
  if (length > limitBytes) throw tooLarge(limitBytes);
  if (!chunked && length <= largestWholeBytes) return whole(request, timeouts);
  return streamed(request, limitBytes, timeouts.streamSilenceMs);
};
