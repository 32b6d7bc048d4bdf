import path from 'node:path';
import type { Reporter } from '../report.ts';
import { assertSha256 } from './checksum.ts';
import { download } from './download.ts';
import { runTool } from './run-tool.ts';

/** A project's own release, pinned. */
export interface Archive {
  readonly url: string;
  readonly sha256: string;
  /** About how large it is, for the bar. */
  readonly sizeBytes: number;
}

const unpackTimeoutMs = 5 * 60_000;

/**
 * Downloads a `.tgz`, verifies it, and only then unpacks it, without its top folder.
 *
 * @param name - for the bar
 * @throws Unavailable when it cannot be had, is not the pinned one, or `tar` fails
 */
export async function fetchArchive(name: string, archive: Archive, folder: string, reporter: Reporter): Promise<void> {
  const file = path.join(folder, path.posix.basename(new URL(archive.url).pathname));
  const progress = reporter.progress(name, archive.sizeBytes);
  try {
    await download(archive.url, file, (bytes) => progress.at(bytes));
  } finally {
    progress.end();
  }
  await assertSha256(file, archive.sha256, path.basename(file));
  await runTool('tar', ['-xzf', file, '--strip-components=1'], { cwd: folder, timeoutMs: unpackTimeoutMs });
}
