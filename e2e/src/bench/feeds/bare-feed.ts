// The least that a feed can be, to measure against: an HTTP server that writes what is posted to the open answers of all whom
// it names. No gateway, no rule, nothing is kept. Prints its port.
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

const feeds = new Map<string, Set<ServerResponse>>([['all', new Set()]]);
const feedsOf = (audience: string): Set<ServerResponse> => {
  const there = feeds.get(audience) ?? new Set();
  feeds.set(audience, there);
  return there;
};

let id = 0;
const server = createServer((request, response) => {
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
});
server.listen(0, '127.0.0.1', 8192, () => console.log((server.address() as AddressInfo).port));
