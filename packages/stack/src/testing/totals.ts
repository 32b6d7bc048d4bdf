import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** What a run of specs came to, in tests (not suites, not files). */
export interface Totals {
  readonly passed: number;
  /** Failed, cancelled and timed-out tests, and spec files that crashed or hold no test. */
  readonly failed: number;
  /** Skipped and to-do tests; they count as failed wherever a single number is asked for. */
  readonly skipped: number;
  /** Suites that this machine cannot run, each with the reason that it gives. They fail no run, and are told at its end. */
  readonly leftOut: readonly string[];
}

/** `unit` needs nothing, `int` needs servers, `e2e` starts a platform of its own. */
export type SpecKind = 'unit' | 'int' | 'e2e';

export const nothingRun: Totals = { passed: 0, failed: 0, skipped: 0, leftOut: [] };

/** @returns what two runs came to together */
export function addTotals(left: Totals, right: Totals): Totals {
  return {
    passed: left.passed + right.passed,
    failed: left.failed + right.failed,
    skipped: left.skipped + right.skipped,
    leftOut: [...left.leftOut, ...right.leftOut],
  };
}

/** True when nothing failed and nothing was skipped. */
export function isGreen(totals: Totals): boolean {
  return totals.failed + totals.skipped === 0;
}

/** The last line of a run, `N passed, N failed`, in which a skipped test counts as failed. */
export function totalsLine(totals: Totals): string {
  return `${totals.passed} passed, ${totals.failed + totals.skipped} failed`;
}

/** What nobody is to overlook at the end of a run: what was not tried, and what it takes. Empty where all was. */
export function leftOutText({ leftOut }: Totals): string {
  const count = leftOut.length === 1 ? '1 suite was' : `${leftOut.length} suites were`;
  const lines = [`⚠ ${count} NOT RUN on this machine:`, ...leftOut.map((each) => `  ﹣ ${each}`)];
  return leftOut.length === 0 ? '' : `${lines.join('\n')}\n`;
}

/** The file that keeps the totals of a project's last run; the task cache restores it with a cached result. */
export function totalsFile(projectDir: string, kind: SpecKind): string {
  return path.join(projectDir, '.test', `${kind}.json`);
}

export async function writeTotals(projectDir: string, kind: SpecKind, totals: Totals): Promise<void> {
  const file = totalsFile(projectDir, kind);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(`${file}.part`, `${JSON.stringify(totals)}\n`);
  await rename(`${file}.part`, file);
}

/**
 * @returns the totals of the project's last run, or `undefined` where it left none
 * @throws SyntaxError or TypeError when the file is not what `writeTotals` writes
 */
export async function readTotals(projectDir: string, kind: SpecKind): Promise<Totals | undefined> {
  const text = await readFile(totalsFile(projectDir, kind), 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const { passed, failed, skipped, leftOut } = JSON.parse(text) as Partial<Record<keyof Totals, unknown>>;
  const areNumbers = typeof passed === 'number' && typeof failed === 'number' && typeof skipped === 'number';
  if (!areNumbers || !Array.isArray(leftOut)) {
    throw new TypeError(`${totalsFile(projectDir, kind)} does not hold totals`);
  }
  return { passed, failed, skipped, leftOut: leftOut.map(String) };
}
