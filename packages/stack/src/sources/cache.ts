import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { takeLock, type Lock } from '../home/lock.ts';
import type { Reporter } from '../report.ts';
import { StackError } from '../stack-error.ts';

/** How long to wait for another process that fetches the same thing. */
const patienceMs = 15 * 60_000;
/** An unfinished folder of this age belongs to nobody any more. */
const abandonedMs = 24 * 60 * 60_000;

/** The folder of things fetched, shared by all checkouts of a user. What is in it is whole and verified. */
export class Cache {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** @returns the folder of that key if it is there, whole */
  find(key: string): string | undefined {
    const folder = path.join(this.#dir, key);
    return existsSync(folder) ? folder : undefined;
  }

  /**
   * @param key - names the thing, its version and its platform
   * @param make - fills an empty folder, and throws if what it fetched is not what was pinned
   * @returns the folder of that key, made now if it was not there; at most one process makes it
   */
  async obtain(key: string, make: (folder: string) => Promise<void>, { say }: Pick<Reporter, 'say'>): Promise<string> {
    const there = this.find(key);
    if (there !== undefined) return there;
    mkdirSync(this.#dir, { recursive: true });
    const lock = await this.#lock(key, say);
    try {
      const folder = path.join(this.#dir, key);
      if (existsSync(folder)) return folder;
      this.#clearAbandoned();
      const draft = path.join(this.#dir, `.${key}.${randomUUID()}`);
      mkdirSync(draft);
      try {
        await make(draft);
        renameSync(draft, folder);
      } finally {
        rmSync(draft, { recursive: true, force: true });
      }
      return folder;
    } finally {
      lock.release();
    }
  }

  async #lock(key: string, say: (text: string) => void): Promise<Lock> {
    const until = performance.now() + patienceMs;
    let told = false;
    for (;;) {
      const lock = takeLock(path.join(this.#dir, `${key}.lock`), key);
      if ('release' in lock) return lock;
      if (performance.now() > until) {
        throw new StackError(`pid ${lock.holder.pid} has been fetching ${key} for too long; end it and try again`);
      }
      if (!told) say(`${key} is being fetched by pid ${lock.holder.pid}; waiting for it`);
      told = true;
      await wait(200);
    }
  }

  #clearAbandoned(): void {
    for (const name of readdirSync(this.#dir).filter((each) => each.startsWith('.'))) {
      const folder = path.join(this.#dir, name);
      if (Date.now() - statSync(folder).mtimeMs > abandonedMs) rmSync(folder, { recursive: true, force: true });
    }
  }
}
