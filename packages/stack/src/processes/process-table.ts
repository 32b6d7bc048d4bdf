import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import process from 'node:process';

/** @returns the command line of a process, at most 120 characters of it, or `undefined` where it cannot be seen */
export function commandOf(pid: number): string | undefined {
  if (process.platform !== 'linux') return ps(pid, 'command=')?.slice(0, 120);
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim();
    return words === '' ? undefined : words.slice(0, 120);
  } catch {
    return undefined;
  }
}

/**
 * @returns the resident memory of a process in bytes; 0 where it has gone. Where the system tells it (Linux), a page that
 *   several processes map is divided between them, so that a sum over processes counts Node and its libraries once
 */
export function residentBytes(pid: number): number {
  if (process.platform !== 'linux') return Number(ps(pid, 'rss=') ?? 0) * 1024;
  const proportional = kibibytes(`/proc/${pid}/smaps_rollup`, /^Pss:\s+(\d+) kB$/m);
  return (proportional ?? kibibytes(`/proc/${pid}/status`, /^VmRSS:\s+(\d+) kB$/m) ?? 0) * 1024;
}

function kibibytes(file: string, pattern: RegExp): number | undefined {
  try {
    const found = pattern.exec(readFileSync(file, 'latin1'))?.[1];
    return found === undefined ? undefined : Number(found);
  } catch {
    return undefined;
  }
}

function ps(pid: number, column: string): string | undefined {
  const result = spawnSync('ps', ['-o', column, '-p', String(pid)], { encoding: 'utf8', timeout: 5000 });
  const line = result.status === 0 ? result.stdout.trim() : '';
  return line === '' ? undefined : line;
}
