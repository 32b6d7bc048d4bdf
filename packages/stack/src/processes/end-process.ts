import process from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { codeOf } from '../stack-error.ts';
import { isAlive, type ProcessIdentity } from './identity.ts';

/**
 * Signals the process group that a child leads; children are started as leaders of groups of their own, so that Ctrl-C in
 * the terminal does not reach them before the supervisor does.
 */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error;
  }
}

/**
 * Ends a process and its group: SIGTERM, and SIGKILL when it has not gone after `graceMs`.
 *
 * @returns how it went, or that it was gone already
 */
export async function endProcess(identity: ProcessIdentity, graceMs: number): Promise<'gone' | 'ended' | 'killed'> {
  if (!isAlive(identity)) return 'gone';
  signalGroup(identity.pid, 'SIGTERM');
  if (await hasGone(identity, graceMs)) return 'ended';
  signalGroup(identity.pid, 'SIGKILL');
  await hasGone(identity, 5000);
  return 'killed';
}

/** @returns whether the process was gone within that many milliseconds */
export async function hasGone(identity: ProcessIdentity, withinMs: number): Promise<boolean> {
  const until = performance.now() + withinMs;
  while (isAlive(identity)) {
    if (performance.now() >= until) return false;
    await wait(50);
  }
  return true;
}
