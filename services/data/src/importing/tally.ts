import type { Fault } from '@causeway/contracts';

import { EventIds } from '../records/event-ids.ts';
import type { LineOutcome } from './import-batch.ts';

/** What has become of an import. */
export interface ImportResult {
  readonly created: number;
  readonly failed: number;
  /** The first 100, fewer where they are long, each with at most 5 faults. */
  readonly errors: readonly { readonly line: number; readonly problem: unknown }[];
  /** The events of its records, as long as they are few. */
  readonly eventIds: readonly string[];
}

const maxErrors = 100;
/** Of a line's faults, and of all that is told of lines; a line that is not told of is counted. */
const maxFaultsOfLine = 5;
const maxErrorBytes = 65_536;

/** Counts what becomes of an import's lines, and keeps as much of it as an answer tells. */
export class Tally {
  created = 0;
  failed = 0;
  /** The last line that was added. */
  lines = 0;
  readonly errors: { line: number; problem: unknown }[] = [];
  readonly #eventIds = new EventIds();
  readonly #describe: (fault: Fault) => unknown;
  #errorBytes = 0;

  constructor(describe: (fault: Fault) => unknown) {
    this.#describe = describe;
  }

  add(line: number, outcome: LineOutcome): void {
    this.lines = line;
    if (outcome.kind === 'failed') {
      this.failed += 1;
      this.#tell(line, outcome.fault);
      return;
    }
    this.created += 1;
    if (outcome.eventId !== undefined) this.#eventIds.add(outcome.eventId);
  }

  #tell(line: number, fault: Fault): void {
    if (this.errors.length >= maxErrors || this.#errorBytes >= maxErrorBytes) return;
    const problem = firstFaults(this.#describe(fault));
    this.#errorBytes += Buffer.byteLength(JSON.stringify(problem));
    this.errors.push({ line, problem });
  }

  result(): ImportResult {
    const { created, failed, errors } = this;
    return { created, failed, errors, eventIds: this.#eventIds.named };
  }
}

function firstFaults(problem: unknown): unknown {
  const { errors } = problem as { readonly errors?: readonly unknown[] };
  return errors === undefined ? problem : { ...(problem as object), errors: errors.slice(0, maxFaultsOfLine) };
}
