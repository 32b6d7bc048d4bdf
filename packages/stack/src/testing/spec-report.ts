import type { EventData } from 'node:test';
import type { TestEvent } from 'node:test/reporters';
import { inspect } from 'node:util';
import { nothingRun, type Totals } from './totals.ts';

/** The most that a file may print before the middle of it is left out of the report of a failure, in characters. */
const outputLimit = 64 * 1024;

/** Listens to the run of one spec file: counts its tests, and tells what failed. */
export class SpecReport {
  readonly #name: string;
  readonly #file: string;
  readonly #path: string[] = [];
  readonly #failures: string[] = [];
  readonly #lines: string[] = [];
  readonly #diagnostics: string[] = [];
  readonly #leftOut: string[] = [];
  #skippedSuites = 0;
  #output = '';
  // A run that ends without a summary has failed.
  #counts: Totals = { ...nothingRun, failed: 1 };

  /**
   * @param name - how the report calls the file
   * @param file - its absolute path, by which the runner calls the test that stands for the file itself
   */
  constructor(name: string, file: string) {
    this.#name = name;
    this.#file = file;
  }

  add(event: TestEvent): void {
    switch (event.type) {
      case 'test:start':
        this.#path.length = event.data.nesting;
        this.#path[event.data.nesting] = event.data.name;
        break;
      case 'test:pass':
        this.#passed(event.data);
        break;
      case 'test:fail':
        this.#failed(event.data);
        break;
      case 'test:stdout':
      case 'test:stderr':
        this.#keep(event.data.message);
        break;
      case 'test:diagnostic':
        // The runner's own statistics come as diagnostics too, but name no file.
        if (event.data.file !== undefined) this.#diagnostics.push(event.data.message);
        break;
      case 'test:summary':
        if (event.data.file === undefined) this.#summarise(event.data.counts);
        break;
    }
  }

  /** Adds a line of the runner's to the report. */
  note(text: string): void {
    this.#failures.push(`✖ ${this.#name}: ${text}`);
  }

  /**
   * @returns what the tests have measured (`context.diagnostic`), and the failures in full with what the file printed; with
   *   `verbose` each test first
   */
  text(verbose: boolean): string {
    const parts = verbose ? [`${this.#name}\n`, ...this.#lines.map((line) => `${line}\n`)] : [];
    parts.push(...this.#diagnostics.map((each) => `ℹ ${this.#name}: ${each}\n`));
    if (this.#failures.length > 0) parts.push(...this.#failures.map((each) => `\n${each}\n`));
    if (this.#output !== '' && (verbose || this.#failures.length > 0)) {
      parts.push(`\n${this.#name} printed:\n${indent(this.#output.trimEnd(), '  │ ')}\n`);
    }
    return parts.join('');
  }

  totals(): Totals {
    return this.#counts;
  }

  #passed(data: EventData.TestPass): void {
    if (data.name === this.#file) {
      this.note('holds no test');
      return;
    }
    const mark = data.skip === undefined && data.todo === undefined ? '✔' : '﹣';
    if (mark === '﹣') this.#skipped(data);
    this.#lines.push(
      `${'  '.repeat(data.nesting + 1)}${mark} ${data.name} (${Math.round(data.details.duration_ms)} ms)`,
    );
  }

  /** A suite may say what this machine has not for it; whatever else is skipped was forgotten. */
  #skipped(data: EventData.TestPass): void {
    const isSuite = data.details.type === 'suite';
    if (isSuite && typeof data.skip === 'string') {
      this.#leftOut.push(`${this.#title(data)}: ${data.skip}`);
      return;
    }
    // The runner counts suites apart, and the tests of one that is skipped nowhere.
    if (isSuite) this.#skippedSuites += 1;
    this.#failures.push(`﹣ ${this.#title(data)}: skipped, which counts as failed`);
  }

  #failed(data: EventData.TestFail): void {
    const error = data.details.error as Error & { failureType?: string };
    this.#lines.push(`${'  '.repeat(data.nesting + 1)}✖ ${data.name}`);
    // A suite fails because of its tests, and a file because of its own; those have been told.
    if (error.failureType === 'subtestsFailed') return;
    if (data.name === this.#file) {
      // An abort is the time-out, which whoever ran the file tells in words of its own.
      if (this.#failures.length === 0 && error.failureType !== 'testAborted') this.note('failed outside its tests');
      return;
    }
    const place = data.line === undefined ? '' : ` (${this.#name}:${data.line})`;
    this.#failures.push(`✖ ${this.#title(data)}${place}\n${indent(inspect(error.cause ?? error), '    ')}`);
  }

  #title(data: { name: string; nesting: number }): string {
    return [this.#name, ...this.#path.slice(0, data.nesting), data.name].join(' › ');
  }

  #keep(text: string): void {
    this.#output += text;
    if (this.#output.length > outputLimit) {
      const half = outputLimit / 4;
      this.#output = `${this.#output.slice(0, half)}\n… left out …\n${this.#output.slice(-half)}`;
    }
  }

  #summarise(counts: EventData.TestSummary['counts']): void {
    const empty = this.#failures.some((each) => each.endsWith('holds no test')) ? 1 : 0;
    this.#counts = {
      passed: counts.passed - empty,
      failed: counts.tests - counts.passed - counts.skipped - counts.todo + empty,
      skipped: counts.skipped + counts.todo + this.#skippedSuites,
      leftOut: this.#leftOut,
    };
  }
}

function indent(text: string, prefix: string): string {
  return text
    .split('\n')
    .map((line) => prefix + line)
    .join('\n');
}
