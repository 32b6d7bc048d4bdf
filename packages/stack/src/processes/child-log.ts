import { closeSync, copyFileSync, fstatSync, mkdirSync, openSync, readSync, renameSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { codeOf } from '../stack-error.ts';

/**
 * The log file of a child. The child writes to it by itself, so that it neither stops nor falls when its supervisor is
 * killed; the supervisor rotates it by size.
 */
export class ChildLog {
  readonly file: string;
  /** The file, open for appending: the child's stdout and stderr. */
  readonly fd: number;
  readonly #limitBytes: number;
  readonly #kept: number;

  /** @param options - at how many bytes the file is rotated (default 8 MiB), and how many older ones are kept (default 2) */
  constructor(file: string, options: { limitBytes?: number; kept?: number } = {}) {
    mkdirSync(path.dirname(file), { recursive: true });
    this.file = file;
    this.#limitBytes = options.limitBytes ?? 8 * 1024 * 1024;
    this.#kept = options.kept ?? 2;
    this.fd = openSync(file, 'a');
  }

  /** Moves what was written aside when it has grown past the limit: `x.log` → `x.log.1` → `x.log.2`. */
  rotateIfLarge(): void {
    if (fstatSync(this.fd).size <= this.#limitBytes) return;
    for (let age = this.#kept; age > 1; age -= 1) renameIfThere(`${this.file}.${age - 1}`, `${this.file}.${age}`);
    // The child holds the file open for appending, so the file itself has to stay: copy, then empty it.
    copyFileSync(this.file, `${this.file}.1`);
    truncateSync(this.file, 0);
  }

  /** @returns the last lines of the file, out of its last 8 KiB */
  lastLines(count: number): string[] {
    const reader = openSync(this.file, 'r');
    try {
      const { size } = fstatSync(reader);
      const buffer = Buffer.alloc(Math.min(size, 8192));
      readSync(reader, buffer, 0, buffer.length, size - buffer.length);
      return buffer.toString('utf8').trimEnd().split('\n').slice(-count);
    } finally {
      closeSync(reader);
    }
  }

  close(): void {
    closeSync(this.fd);
  }
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}
