import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { describe, it } from 'node:test';
import { residentBytes } from './process-table.ts';

describe('residentBytes', () => {
  it('counts what processes share once over all of them', async () => {
    const children = Array.from({ length: 3 }, () =>
      spawn(process.execPath, ['--eval', "console.log('up'); setInterval(() => {}, 1000)"]),
    );
    try {
      await Promise.all(children.map((child) => once(child.stdout, 'data')));
      const pids = children.map(({ pid }) => pid ?? 0);
      const all = pids.reduce((sum, pid) => sum + residentBytes(pid), 0);
      const mapped = pids.reduce((sum, pid) => sum + rssBytes(pid), 0);
      assert.ok(all > 10e6 && all < mapped * 0.9, `${all} of ${mapped}`);
    } finally {
      for (const child of children) child.kill('SIGKILL');
    }
  });

  it('is nothing for a process that has gone', async () => {
    const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
    await once(child, 'exit');
    assert.equal(residentBytes(child.pid ?? 0), 0);
  });
});

function rssBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]) * 1024;
}
