import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { describe, it } from 'node:test';
import type { OpenApiDocument } from '../harness/api-document.ts';
import { addressOf, platform } from '../harness/platform.ts';

async function runTour(home: string): Promise<{ readonly code: number | null; readonly output: string }> {
  const file = path.join(import.meta.dirname, 'tour.ts');
  const child = spawn(process.execPath, ['--conditions=development', file], {
    env: { ...process.env, CAUSEWAY_HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 120_000,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

/** The platform, but for one path, of which its document says that it never succeeds. */
async function startDeviating(undocumented: string): Promise<{ readonly url: string; readonly close: () => void }> {
  const gateway = addressOf('gateway');
  const server = createServer((incoming, outgoing) => {
    if (incoming.url === '/openapi.json') {
      void fetch(new URL('/openapi.json', gateway))
        .then((response) => response.json() as Promise<OpenApiDocument>)
        .then(({ paths, ...document }) => {
          const { get, ...others } = paths[undocumented] ?? {};
          const responses = Object.entries(get?.responses ?? {}).filter(([status]) => status !== '200');
          const changed = { ...others, get: { ...get, responses: Object.fromEntries(responses) } };
          outgoing.end(JSON.stringify({ ...document, paths: { ...paths, [undocumented]: changed } }));
        });
      return;
    }
    const { method, headers } = incoming;
    const forwarded = request(new URL(incoming.url ?? '/', gateway), { method, headers }, (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(outgoing);
      outgoing.once('close', () => forwarded.destroy());
    });
    incoming.pipe(forwarded);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${port}`, close };
}

describe('npm run tour', () => {
  it('goes all the way, tells what it sees, and everything is as it should be', async () => {
    const { code, output } = await runTour(platform.home);
    assert.equal(code, 0, output);
    for (const told of ['250 created, 0 failed', 'Algeria', 'Andorra', 'user › create-profile']) {
      assert.ok(output.includes(told), `${told} is not in\n${output}`);
    }
    assert.doesNotMatch(output, /✖/);
    assert.match(output, /✔ (\d+) of \1 requests and answers were as \/openapi\.json has them/);
    assert.ok(!output.includes(platform.adminPassword), 'a password is no part of the tour');
  });

  it('says where the platform is not what its document says, and fails', async () => {
    const deviating = await startDeviating('/v1/users/me');
    const home = await mkdtemp(path.join(tmpdir(), 'tour-'));
    try {
      await writeFile(path.join(home, 'stack.lock'), JSON.stringify({ address: deviating.url }));
      await writeFile(path.join(home, 'admin-password'), platform.adminPassword);
      const { code, output } = await runTour(home);
      assert.equal(code, 1, output);
      assert.match(output, /✖ GET \/v1\/users\/me → 200: the status is not in openapi\.json/);
      assert.match(output, /250 created, 0 failed/, 'it goes on');
    } finally {
      deviating.close();
      await rm(home, { recursive: true });
    }
  });

  it('says what to do where no platform is running, and fails', async () => {
    const { code, output } = await runTour(path.join(platform.home, 'nothing-here'));
    assert.equal(code, 1);
    assert.match(output, /npm start/);
    assert.doesNotMatch(output, /\n\s+at /, 'a person has no use for a stack');
  });

  it('says that the services are needed where only the servers run', async () => {
    const home = await mkdtemp(path.join(tmpdir(), 'tour-'));
    await writeFile(path.join(home, 'stack.lock'), JSON.stringify({ address: 'the servers only, logs in here/logs' }));
    const { code, output } = await runTour(home);
    await rm(home, { recursive: true });
    assert.equal(code, 1);
    assert.match(output, /^what runs in .* is the servers only, .*: the services are needed too/);
  });
});
