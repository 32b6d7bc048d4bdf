import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { channelHeader, openChannelOf } from '../channels/channel.ts';
import { acceptSocket } from './accept-socket.ts';
import type { Exchange } from './exchange.ts';
import type { Answer, AnswerHeaders } from './route.ts';

type Head = Record<string, string | number | string[]>;

/** The exchange's headers, and the answer's on top; names are compared without case, as HTTP does. */
const headOf = (exchange: Exchange, headers: AnswerHeaders | undefined): Head => {
  const head: Head = { ...exchange.headers };
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined) continue;
    if (!(name in head)) deleteNamed(head, name);
    head[name] = typeof value === 'object' ? [...value] : value;
  }
  return head;
};

const deleteNamed = (head: Head, name: string): void => {
  const lower = name.toLowerCase();
  for (const each in head) if (each.toLowerCase() === lower) Reflect.deleteProperty(head, each);
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
 * @param exchange - whose answer it is
 * @param answer - JSON, text that is JSON already, a stream, nothing, or a WebSocket
 */
export const sendAnswer = (exchange: Exchange, answer: Answer): Promise<void> | undefined => {
  const { response } = exchange;
  if (answer.socket !== undefined) return acceptSocket(exchange, answer.socket);
  const head = headOf(exchange, answer.headers);
  const channel = answer.channel === undefined ? undefined : openChannelOf(exchange.request);
  if (answer.channel !== undefined && channel !== undefined) {
    try {
      response.writeHead(answer.status, { ...head, [channelHeader]: channel.id, 'content-length': 0 }).end();
    } catch (error) {
      channel.end();
      throw error;
    }
    // Nothing of the request is kept for as long as that takes.
    const { channel: tell } = answer;
    channel.carry((async () => tell(channel))());
    return undefined;
  }
  if (answer.stream !== undefined) {
    response.writeHead(answer.status, head);
    return sendStream(response, answer.stream);
  }
  const text = answer.json ?? (answer.body === undefined ? undefined : JSON.stringify(answer.body));
  if (text === undefined) {
    if (answer.status !== 204 && answer.status !== 304) head['Content-Length'] = 0;
  } else {
    head['Content-Type'] ??= 'application/json';
    head['Content-Length'] = Buffer.byteLength(text);
  }
  // One call with all headers: setting them one by one costs more than the rest of a small answer.
  response.writeHead(answer.status, head).end(text);
  return undefined;
};
