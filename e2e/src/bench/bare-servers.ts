// Two bare servers to measure against, in one process each: `upstream` answers a small JSON document, `proxy` passes everything
// on to it. Prints its port.
import type { AddressInfo } from 'node:net';
import process from 'node:process';
import express, { type Express } from 'express';
import { Pool } from 'undici';

const answer = JSON.stringify({ id: 'usr_0', name: 'Ada Lovelace', avatarUrl: 'https://example.com/ada.png' });

function upstream(): Express {
  const app = express();
  app.get('/v1/users/:id', (_request, response) => void response.type('json').send(answer));
  return app;
}

/** What a gateway cannot do without: Express, and undici's pool, streaming the answer. */
function proxy(target: string): Express {
  const pool = new Pool(target, { connections: 128 });
  const app = express();
  app.use((request, response) => {
    const { url: path, headers } = request;
    pool
      .stream(
        { path, method: 'GET', headers: { ...headers, connection: undefined } },
        ({ statusCode, headers: back }) => response.writeHead(statusCode, back),
      )
      .catch(() => response.destroy());
  });
  return app;
}

const target = process.argv[2];
const server = (target === undefined ? upstream() : proxy(target)).listen(0, '127.0.0.1', () => {
  console.log((server.address() as AddressInfo).port);
});
