// The least that a feed can be, to measure against: an HTTP server that writes what is posted to the open answers of all whom
// it names, no rule, nothing is kept; or, told the address of one, a proxy before it: the least that a gateway can be. Prints its port.
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { type Dispatcher, Pool } from 'undici';

const feeds = new Map<string, Set<ServerResponse>>([['all', new Set()]]);
const feedsOf = (audience: string): Set<ServerResponse> => {
  const there = feeds.get(audience) ?? new Set();
  feeds.set(audience, there);
  return there;
};

let id = 0;
const feed: RequestListener = (request, response) => {
  if (request.method === 'GET') {
    const own = [feedsOf(request.headers.authorization ?? ''), feedsOf('all')];
    for (const each of own) each.add(response);
    response.once('close', () => own.forEach((each) => each.delete(response)));
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('id: 0\n\n');
    return;
  }
  void text(request).then((body) => {
    const { audience } = JSON.parse(body) as { audience: string };
    id += 1;
    const block = `event: created\nid: ${id}\ndata: {"record":${body}}\n\n`;
    for (const each of feedsOf(audience)) each.write(block);
    response.writeHead(201).end();
  });
};

/** Each feed that is open has a connection of its own. */
const proxy = (target: string): RequestListener => {
  const pool = new Pool(target, { bodyTimeout: 0 });
  return (request, response) => {
    const { url: path = '/', headers } = request;
    const method = request.method as Dispatcher.HttpMethod;
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    pool
      .stream(
        {
          ...{ path, method, signal: gone.signal },
          headers: { ...headers, connection: undefined },
          body: method === 'GET' ? null : request,
        },
        ({ statusCode, headers: back }) => response.writeHead(statusCode, back),
      )
      .catch(() => response.destroy());
  };
};

const target = process.argv[2];
const server = createServer(target === undefined ? feed : proxy(target));
server.listen(0, '127.0.0.1', 8192, () => console.log((server.address() as AddressInfo).port));
