import { once } from 'node:events';
import { connect } from 'node:net';

/** An answer to bytes that no client of ours would send. */
export interface RawAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/**
 * Sends a request as it is written, line by line, and reads the first answer. The connection is asked to close, unless the
 * lines say otherwise.
 *
 * @param url - host and port
 * @param lines - the head, without its empty line
 * @throws Error when nothing is answered within 20 s
 */
export async function rawRequest(url: string, lines: readonly string[], body = ''): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.setTimeout(20_000, () => socket.destroy(new Error('nothing was answered within 20 s')));
  await once(socket, 'connect');
  const closing = lines.some((line) => /^connection:/i.test(line)) ? [] : ['Connection: close'];
  socket.write(`${[...lines, ...closing].join('\r\n')}\r\n\r\n${body}`);
  let received = '';
  for await (const chunk of socket) {
    received += (chunk as Buffer).toString('latin1');
    if (isWhole(received)) break;
  }
  socket.destroy();
  const [head = '', ...rest] = received.split('\r\n\r\n');
  const [statusLine = '', ...fields] = head.split('\r\n');
  const headers = fields.map((line): [string, string] => {
    const at = line.indexOf(':');
    return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()];
  });
  return {
    status: Number(statusLine.split(' ')[1]),
    headers: Object.fromEntries(headers),
    text: rest.join('\r\n\r\n'),
  };
}

/** Whether a body of a told length has come. */
const isWhole = (received: string): boolean => {
  const end = received.indexOf('\r\n\r\n');
  const length = /\r\ncontent-length: *(\d+)\r\n/i.exec(received.slice(0, end + 2))?.[1];
  return end >= 0 && length !== undefined && received.length - end - 4 >= Number(length);
};
