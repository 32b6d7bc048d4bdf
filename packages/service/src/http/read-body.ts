import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { faults } from '@causeway/contracts';

import { checkJsonLimits } from './json-limits.ts';
import { findJsonError } from './json-syntax.ts';
import { RequestTimeout } from './request-timeout.ts';

/** Largest body where a route names no limit of its own. */
export const defaultBodyLimitBytes = 1_048_576;

/** How long a whole body may take to arrive. */
const wholeBodyMs = 300_000;

/** How much of a body that is refused is still taken in, so that the client reads the answer instead of a reset. */
const discardedBytes = 64 * 1_048_576;

const tooLarge = (limitBytes: number) =>
  faults.payloadTooLarge({ detail: `The body may hold at most ${limitBytes} bytes.`, extensions: { limitBytes } });

const discardRest = (request: IncomingMessage): void => {
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > discardedBytes) request.destroy();
  });
  request.resume();
};

/** The client went before its request was complete: there is nobody left to answer. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
}

const declaredLength = (request: IncomingMessage): number => Number(request.headers['content-length'] ?? 0);

const readBytes = (request: IncomingMessage, limitBytes: number, timeoutMs: number): Promise<Buffer> => {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  let bytes = 0;
  const onData = (chunk: Buffer): void => {
    bytes += chunk.length;
    chunks.push(chunk);
    if (bytes <= limitBytes) return;
    stop();
    discardRest(request);
    reject(tooLarge(limitBytes));
  };
  const onEnd = (): void => {
    stop();
    const [only] = chunks;
    resolve(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, bytes));
  };
  const onGone = (): void => {
    stop();
    reject(new ClientGone('the client went while it sent its request'));
  };
  const late = setTimeout(() => {
    stop();
    reject(new RequestTimeout());
  }, timeoutMs);
  // Nobody may be left to wait for it: a caller may give up sooner.
  late.unref();
  const stop = (): void => {
    clearTimeout(late);
    request.off('data', onData).off('end', onEnd).off('close', onGone);
  };
  // An error is always followed by close, and an error without a listener would be thrown.
  request.on('data', onData).once('end', onEnd).once('close', onGone).on('error', ignore);
  return promise;
};

const ignore = (): void => undefined;

/**
 * Reads a body of bounded size, chunked or not.
 *
 * @param request - not read yet
 * @param limitBytes - inclusive
 * @param timeoutMs - from now to its last byte; 5 minutes by default
 * @throws Fault `payload-too-large`, {@link RequestTimeout}; {@link ClientGone}
 */
export const readBody = async (
  request: IncomingMessage,
  limitBytes: number,
  timeoutMs: number = wholeBodyMs,
): Promise<Buffer> => {
  if (declaredLength(request) > limitBytes) {
    discardRest(request.on('error', ignore));
    throw tooLarge(limitBytes);
  }
  return readBytes(request, limitBytes, timeoutMs);
};

/** How long a client is waited for that still sends what is thrown away. */
const discardMs = 5_000;

/** Takes in and throws away what is left of a body, up to a bound, and for a while. */
const discarded = (request: IncomingMessage): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  let bytes = 0;
  const stop = (): void => {
    clearTimeout(timer);
    resolve(undefined);
  };
  const timer = setTimeout(stop, discardMs);
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > discardedBytes) stop();
  });
  request.once('end', stop).once('close', stop).on('error', ignore).resume();
  if (request.readableEnded || request.destroyed) stop();
  return promise;
};

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

/**
 * Once the answer is sent nobody reads what is left of the body; the connection serves no other call before that has been taken
 * in. Up to a bound: then the connection ends.
 *
 * @param request - not read yet
 * @param response - its answer, which may be there before the body's end
 */
export const takeInUnread = (request: IncomingMessage, response: ServerResponse): void => {
  if (!hasBody(request)) return;
  response.once('finish', () => {
    if (request.readableEnded || request.destroyed) return;
    // Whoever it was passed on to takes no more of it, and would hold it back.
    request.unpipe();
    void discarded(request).then(() => {
      if (!request.readableEnded) request.destroy();
    });
  });
};

/**
 * A body as it streams in. Who stops reading it before its end, as by an error, can still answer: the rest is taken in
 * first, up to a bound, since many clients read no answer before they have sent everything, and find their connection
 * closed.
 *
 * @param request - not read yet
 */
export async function* streamBody(request: IncomingMessage): AsyncGenerator<Buffer> {
  try {
    // By itself an iterator that is left early destroys the request.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) yield chunk as Buffer;
  } finally {
    if (!request.readableEnded) await discarded(request);
  }
}

const malformed = (code: string, message: string) =>
  faults.invalidRequest({ detail: message, errors: [{ pointer: '', code, message }] });

/**
 * Parses JSON that a client sent: UTF-8, not nested too deep, no keys that reach prototypes.
 *
 * @param bytes - the body, or a line of it
 * @throws Fault `invalid-request` that names line and column, never the text
 */
export const parseJson = (bytes: Buffer): unknown => {
  if (bytes.length === 0) throw malformed('empty', 'The body is empty; send JSON.');
  if (!isUtf8(bytes)) throw malformed('not-utf-8', 'The body is not UTF-8.');
  const text = bytes.toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    const { line, column } = findJsonError(text);
    throw malformed('malformed-json', `The body is not JSON: line ${line}, column ${column}.`);
  }
  checkJsonLimits(value);
  return value;
};
