import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { describe, it } from 'node:test';

import { faultOf, sendProblem } from './problem.ts';
import { closeServer, createHttpServer, listen } from './http-server.ts';
import { readBody, streamBody } from './read-body.ts';

const publicUrl = 'http://causeway.test';

/** Serves with one listener, and begins a request whose body the test sends. */
const serving = async (listener: (request: IncomingMessage, response: ServerResponse) => Promise<void>) => {
  const server = createHttpServer({
    publicUrl,
    listener: (request, response) => {
      listener(request, response).catch((error: unknown) => sendProblem(response, faultOf(error), publicUrl, 'r1'));
    },
  });
  const port = await listen(server, 0, '127.0.0.1');
  const sending = httpRequest({ port, method: 'POST', agent: false });
  return {
    server,
    sending,
    answered: once(sending, 'response') as Promise<[IncomingMessage]>,
    stop: async () => {
      sending.destroy();
      server.closeAllConnections();
      await closeServer(server, 1_000);
    },
  };
};

describe('a request that takes its time', () => {
  it('is refused where its body is wanted as a whole', async () => {
    const { sending, answered, stop } = await serving(async (request, response) => {
      response.end(await readBody(request, 1_000, 100));
    });
    sending.on('error', () => undefined).write('the first half');
    const [response] = await answered;
    assert.equal(response.statusCode, 408);
    assert.equal(response.headers.connection, 'close');
    await stop();
  });

  it('is waited for where its body streams, as long as it goes on', async () => {
    const { server, sending, answered, stop } = await serving(async (request, response) => {
      let bytes = 0;
      for await (const chunk of streamBody(request)) bytes += chunk.length;
      response.end(String(bytes));
    });
    // No test waits for minutes: Node would end the request whatever is sent on it.
    assert.equal(server.requestTimeout, 0);
    assert.ok(server.headersTimeout > 0 && server.timeout > 0);
    sending.write('one');
    sending.end('two');
    const [response] = await answered;
    assert.equal(response.statusCode, 200);
    await stop();
  });
});
