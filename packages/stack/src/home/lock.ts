import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { isAlive, ownIdentity, type ProcessIdentity } from '../processes/identity.ts';
import { codeOf } from '../stack-error.ts';

/** Who holds a lock, as its file says. */
export interface LockHolder {
  readonly holder: ProcessIdentity;
  /** Whoever started the holder and is expected to outlive it (`npm`), if anybody. */
  readonly parent?: ProcessIdentity;
  /** When it was taken, ISO 8601. */
  readonly since: string;
  /** What to tell whoever finds it taken: the address at which the holder's platform answers. */
  readonly address: string;
}

export interface Lock {
  release(): void;
}

/** @returns who holds the lock, or `undefined` when nobody does, or somebody who has died */
export function lockHolder(file: string): LockHolder | undefined {
  const found = read(file);
  return found !== undefined && isAlive(found.holder) ? found : undefined;
}

/**
 * Takes a lock between processes: a file that names its holder by number and start time, so that a lock whose holder was
 * killed is seen to be stale, also when another process has its number by now.
 *
 * @returns the lock, or who holds it
 */
export function takeLock(file: string, address: string, parent?: ProcessIdentity): Lock | LockHolder {
  const own: LockHolder = {
    holder: ownIdentity(),
    ...(parent === undefined ? {} : { parent }),
    since: new Date().toISOString(),
    address,
  };
  const draft = `${file}.${randomUUID()}`;
  writeFileSync(draft, `${JSON.stringify(own)}\n`);
  try {
    for (;;) {
      if (linked(draft, file)) return { release: () => release(file, own.holder) };
      const held = lockHolder(file);
      if (held !== undefined) return held;
      clearStale(file);
    }
  } finally {
    rmSync(draft, { force: true });
  }
}

/** link(2) makes the file appear whole, or fails if it is there: creation and content in one step. */
function linked(draft: string, file: string): boolean {
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    return false;
  }
}

/** Takes a stale lock away; if it turns out that somebody has just taken it anew, gives it back. */
function clearStale(file: string): void {
  const aside = `${file}.${randomUUID()}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  if (lockHolder(aside) !== undefined) linked(aside, file);
  rmSync(aside, { force: true });
}

function release(file: string, holder: ProcessIdentity): void {
  const found = read(file);
  if (found?.holder.pid === holder.pid && found.holder.startedAt === holder.startedAt) rmSync(file, { force: true });
}

function read(file: string): LockHolder | undefined {
  try {
    const found = JSON.parse(readFileSync(file, 'utf8')) as LockHolder;
    return typeof found.holder.pid === 'number' ? found : undefined;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}
