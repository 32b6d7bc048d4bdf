import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import process from 'node:process';
import { describe, it } from 'node:test';
import { platform } from '../harness/platform.ts';

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

describe('npm run tour', () => {
  it('goes all the way, tells what it sees, and everything is as it should be', async () => {
    const { code, output } = await runTour(platform.home);
    assert.equal(code, 0, output);
    for (const told of ['250 created, 0 failed', 'Algeria', 'Andorra', 'user › create-profile']) {
      assert.ok(output.includes(told), `${told} is not in\n${output}`);
    }
    assert.doesNotMatch(output, /✖/);
    assert.ok(!output.includes(platform.adminPassword), 'a password is no part of the tour');
  });

  it('says what to do where no platform is running, and fails', async () => {
    const { code, output } = await runTour(path.join(platform.home, 'nothing-here'));
    assert.equal(code, 1);
    assert.match(output, /npm start/);
    assert.doesNotMatch(output, /\n\s+at /, 'a person has no use for a stack');
  });
});
