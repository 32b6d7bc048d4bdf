import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import process from 'node:process';
import { describe, it } from 'node:test';

describe('a logger', () => {
  it('keeps no process from its end where nobody reads what it has said', { timeout: 30_000 }, async () => {
    const file = path.resolve(import.meta.dirname, 'testing', 'unread-child.ts');
    const child = spawn(process.execPath, ['--conditions=development', file], { stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      const [code] = (await once(child, 'exit', { signal: AbortSignal.timeout(60_000) })) as [number | null];
      assert.equal(code, 3);
    } finally {
      child.kill('SIGKILL');
      child.stdout.destroy();
    }
  });
});
