import { glob } from 'node:fs/promises';
import path from 'node:path';
import { run } from 'node:test';
import type { TestEvent } from 'node:test/reporters';
import { SpecReport } from './spec-report.ts';
import { addTotals, nothingRun, type SpecKind, type Totals } from './totals.ts';

export interface SpecRunOptions {
  readonly projectDir: string;
  readonly kind: SpecKind;
  /** Only the files whose path holds one of these; empty: all. */
  readonly filters: readonly string[];
  /** How many spec files run beside each other. */
  readonly concurrency: number;
  /** A file that has not ended by then is ended, and counts as failed. */
  readonly fileTimeoutMs: number;
  /** Say every test, not only the failed ones. */
  readonly verbose: boolean;
  readonly write: (text: string) => void;
}

/** @returns the project's spec files of that kind, sorted, as absolute paths */
export async function findSpecs(projectDir: string, kind: SpecKind, filters: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for await (const file of glob(`src/**/*.${kind}.spec.ts`, { cwd: projectDir })) {
    if (filters.length === 0 || filters.some((each) => file.includes(each))) files.push(path.join(projectDir, file));
  }
  return files.sort();
}

/** Runs each spec file in a process of its own, reports what failed, and counts. */
export async function runSpecs(options: SpecRunOptions): Promise<Totals & { readonly files: number }> {
  const files = await findSpecs(options.projectDir, options.kind, options.filters);
  const waiting = files.values();
  let totals = nothingRun;
  const worker = async (): Promise<void> => {
    for (const file of waiting) {
      const ofFile = await runFile(file, options);
      totals = addTotals(totals, ofFile);
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, options.concurrency) }, worker));
  return { ...totals, files: files.length };
}

async function runFile(file: string, options: SpecRunOptions): Promise<Totals> {
  const report = new SpecReport(path.relative(options.projectDir, file), file);
  // One run a file: the runner's own time-out bounds a test, and would wait for ever on a file that leaks a handle.
  const signal = AbortSignal.timeout(options.fileTimeoutMs);
  // A hanging test is told by its name before the file is ended.
  const timeout = Math.floor(options.fileTimeoutMs * 0.9);
  const stream = run({ files: [file], concurrency: 1, timeout, signal });
  for await (const event of stream as AsyncIterable<TestEvent>) report.add(event);
  if (signal.aborted) {
    report.note(`not ended after ${options.fileTimeoutMs / 1000} s: a test hangs, or a handle was left open`);
  }
  options.write(report.text(options.verbose));
  return report.totals();
}
