import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import type { Answer, AnswerHeaders } from './route.ts';

const setHeaders = (response: ServerResponse, headers: AnswerHeaders): void => {
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined) response.setHeader(name, value);
  }
};

const sendStream = async (response: ServerResponse, stream: NonNullable<Answer['stream']>): Promise<void> => {
  // HEAD tells what GET would begin with; nothing is produced for it.
  if (response.req.method === 'HEAD') {
    if (stream instanceof Readable) stream.destroy();
    response.end();
    return;
  }
  response.flushHeaders();
  if (stream instanceof Readable) {
    await pipeline(stream, response);
    return;
  }
  await stream(response);
  response.end();
};

/**
 * Sends what a handler gave back.
 *
 * @param response - with the headers that every answer has
 * @param answer - JSON, text that is JSON already, a stream, or nothing
 */
export const sendAnswer = (response: ServerResponse, answer: Answer): Promise<void> | undefined => {
  response.statusCode = answer.status;
  if (answer.headers !== undefined) setHeaders(response, answer.headers);
  if (answer.stream !== undefined) return sendStream(response, answer.stream);
  const text = answer.json ?? (answer.body === undefined ? undefined : JSON.stringify(answer.body));
  if (text === undefined) {
    if (answer.status !== 204 && answer.status !== 304) response.setHeader('Content-Length', 0);
    response.end();
    return undefined;
  }
  if (!response.hasHeader('Content-Type')) response.setHeader('Content-Type', 'application/json');
  response.setHeader('Content-Length', Buffer.byteLength(text));
  response.end(text);
  return undefined;
};
