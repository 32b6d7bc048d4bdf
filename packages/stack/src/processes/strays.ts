import { readFileSync } from 'node:fs';
import { codeOf } from '../stack-error.ts';
import { endProcess } from './end-process.ts';
import { isAlive, type ProcessIdentity } from './identity.ts';
import type { ChildStatus } from './child-spec.ts';
import { writeWhole } from '../home/home.ts';

/** A child as it is written down, so that a later start or `status` knows it again. */
export interface RecordedChild extends ChildStatus {
  readonly identity?: ProcessIdentity;
}

/** Writes the running children down; synchronously, so that no child lives unrecorded for longer than it takes. */
export function recordChildren(file: string, children: readonly RecordedChild[]): void {
  writeWhole(file, `${JSON.stringify(children, undefined, 2)}\n`);
}

/** @returns what the last supervisor wrote down; nothing where there is no file, or an unreadable one */
export function recordedChildren(file: string): RecordedChild[] {
  try {
    const found: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return Array.isArray(found) ? (found as RecordedChild[]) : [];
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || error instanceof SyntaxError) return [];
    throw error;
  }
}

/**
 * Ends the children of a supervisor that was killed. A process is ended only if number *and* start time are as recorded.
 *
 * @returns the names of those that were still there
 */
export async function endStrays(file: string, say: (text: string) => void): Promise<string[]> {
  const strays = recordedChildren(file).flatMap(({ name, kind, identity }) =>
    identity !== undefined && isAlive(identity) ? [{ name, kind, identity }] : [],
  );
  if (strays.length > 0) {
    const names = strays.map((stray) => `${stray.name} (pid ${stray.identity.pid})`).join(', ');
    say(`an earlier start was killed; ending what it left behind: ${names}`);
  }
  // Services before servers, as in an orderly stop.
  for (const kind of ['service', 'server'] as const) {
    const ofKind = strays.filter((stray) => stray.kind === kind);
    await Promise.all(ofKind.map((stray) => endProcess(stray.identity, 15_000)));
  }
  return strays.map((stray) => stray.name);
}
