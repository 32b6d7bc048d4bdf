import assert from 'node:assert/strict';
import { appendFile, cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { CliHarness, fixtureCheckout } from './testing/cli-harness.ts';

describe('npm run dev', { timeout: 170_000 }, async () => {
  // A copy, whose sources may be changed.
  const dir = await mkdtemp(path.join(tmpdir(), 'dev-'));
  await cp(path.dirname(fixtureCheckout), dir, { recursive: true });
  await writeFile(path.join(dir, 'package.json'), '{"type":"module"}');
  const checkout = path.join(dir, path.basename(fixtureCheckout));
  after(() => rm(dir, { recursive: true }));
  const stack = new CliHarness(checkout);

  it('starts a service again when its sources change, and leaves the others', async () => {
    const dev = stack.run('dev');
    await dev.says(/watching the sources of auth, gateway/);
    const pidOf = (name: string) => stack.children().find((child) => child.name === name)?.identity?.pid;
    const before = { auth: pidOf('auth'), gateway: pidOf('gateway') };
    await appendFile(path.join(checkout, 'services', 'auth', 'src', 'main.ts'), '// changed\n');
    await dev.says(/auth is ready again after \d+\.\d s/);
    assert.match(dev.output(), /services\/auth\/src\/main\.ts has changed: starting auth again/);
    assert.notEqual(pidOf('auth'), before.auth);
    assert.equal(pidOf('gateway'), before.gateway);
    assert.equal((await fetch(`${stack.url('CAUSEWAY_AUTH_PORT')}/readyz`)).status, 200);
  });
});
