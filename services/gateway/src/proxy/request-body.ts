import type { IncomingMessage } from 'node:http';
import { Transform, type Readable } from 'node:stream';
import { faults, type Fault } from '@causeway/contracts';
import { ClientGone, RequestTimeout } from '@causeway/service';

/** How long a client may take over its body. */
export interface BodyTimeouts {
  /** For what is taken in first, from its first byte to its last. */
  readonly wholeMs: number;
  /** Between two pieces of it. */
  readonly wholeSilenceMs: number;
  /** Between two pieces of a body that streams, while the service waits for the next; of an import from its beginning on. */
  readonly streamSilenceMs: number;
  /** For a body that streams, to its last byte; an import may take longer. */
  readonly streamMs: number;
}

/** What holds where nothing else is said. */
export const defaultBodyTimeouts: BodyTimeouts = {
  wholeMs: 10_000,
  wholeSilenceMs: 5_000,
  streamSilenceMs: 15_000,
  streamMs: 60_000,
};

/** How a body is taken. */
export interface BodyOptions {
  /** Inclusive. */
  readonly limitBytes: number;
  /** An import, by somebody who is known: it may take as long as it goes on. */
  readonly isImport: boolean;
  readonly timeouts?: BodyTimeouts | undefined;
}

/** So much is taken in before a service hears of the call, and a smaller body as a whole. */
const largestWholeBytes = 64 * 1_024;

const tooLarge = (limitBytes: number): Fault =>
  faults.payloadTooLarge({ detail: `The body may hold at most ${limitBytes} bytes.`, extensions: { limitBytes } });

/** What of a body has arrived before it is passed on. */
interface Beginning {
  readonly bytes: Buffer;
  /** Whether that is all. */
  readonly whole: boolean;
}

const ignore = (): void => undefined;

const takeIn = async (
  request: IncomingMessage,
  limitBytes: number,
  bounds: { readonly wholeMs?: number; readonly silenceMs: number },
): Promise<Beginning> => {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const expire = (): void => reject(new RequestTimeout());
  const late = bounds.wholeMs === undefined ? undefined : setTimeout(expire, bounds.wholeMs);
  const silence = setTimeout(expire, bounds.silenceMs);
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  const onData = (chunk: Buffer): void => {
    silence.refresh();
    chunks.push(chunk);
    sizeBytes += chunk.length;
    if (sizeBytes <= Math.min(limitBytes, largestWholeBytes)) return;
    request.pause();
    if (sizeBytes > limitBytes) reject(tooLarge(limitBytes));
    else resolve(false);
  };
  const onEnd = (): void => resolve(true);
  const onGone = (): void => reject(new ClientGone('the client went while it sent its request'));
  // An error is always followed by close, and an error without a listener would be thrown.
  request.on('data', onData).once('end', onEnd).once('close', onGone).on('error', ignore);
  try {
    const whole = await promise;
    return { bytes: Buffer.concat(chunks, sizeBytes), whole };
  } finally {
    request.off('data', onData).off('end', onEnd).off('close', onGone);
    clearTimeout(late);
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

/** Ends a body that goes on for longer than any that is no import. */
const endWhenLate = (request: IncomingMessage, body: Transform, withinMs: number): void => {
  const late = setTimeout(() => {
    if (!request.complete) body.destroy(new RequestTimeout());
  }, withinMs);
  const done = (): void => clearTimeout(late);
  body.once('finish', done).once('close', done);
};

const streamed = (request: IncomingMessage, beginning: Buffer, limitBytes: number): Transform => {
  let bytes = 0;
  const body = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > limitBytes) done(tooLarge(limitBytes));
      else done(null, chunk);
    },
  });
  // A client that goes in the middle ends the body with an error, never as if it were whole.
  const onGone = (): void => {
    if (!request.complete) body.destroy(new ClientGone('the client went while it sent its request'));
  };
  if (request.destroyed) onGone();
  request.once('close', onGone);
  body.write(beginning);
  request.pipe(body);
  return body;
};

const takeBody = async (request: IncomingMessage, options: BodyOptions): Promise<Buffer | Readable> => {
  const { limitBytes, isImport, timeouts = defaultBodyTimeouts } = options;
  const { wholeMs, wholeSilenceMs, streamSilenceMs, streamMs } = timeouts;
  const bounds = isImport ? { silenceMs: streamSilenceMs } : { wholeMs, silenceMs: wholeSilenceMs };
  const { bytes, whole } = await takeIn(request, limitBytes, bounds);
  if (whole) return bytes;
  const body = streamed(request, bytes, limitBytes);
  endWhenSilent(request, body, streamSilenceMs);
  if (!isImport) endWhenLate(request, body, streamMs);
  return body;
};

/**
 * The body to be passed on. One that is small is there as a whole, and any other has begun in earnest, before the service hears
 * of it: a client that stops in the middle, or sends a byte now and then, keeps nobody from the service. The rest of a larger one
 * is passed on as it comes, never held as a whole.
 *
 * @param request - whose body is not read yet
 * @returns null where the request has none
 * @throws Fault `payload-too-large` where it is, and {@link RequestTimeout} where it does not arrive in time; both end the stream
 * where it has begun. ClientGone where the client went
 */
export const requestBody = (request: IncomingMessage, options: BodyOptions): Promise<Buffer | Readable> | null => {
  const chunked = request.headers['transfer-encoding'] !== undefined;
  const length = Number(request.headers['content-length'] ?? 0);
  if (!chunked && length === 0) return null;
  if (length > options.limitBytes) throw tooLarge(options.limitBytes);
  return takeBody(request, options);
};
