// Takes what OpenTelemetry exporters send (OTLP over HTTP) and forgets it, in a process of its own: what tracing costs is then
// measured without a collector's own work. Prints its port.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const server = createServer((request, response) => {
  request.resume();
  request.once('end', () => response.end('{}'));
});
server.listen(0, '127.0.0.1', () => {
  console.log((server.address() as AddressInfo).port);
});
