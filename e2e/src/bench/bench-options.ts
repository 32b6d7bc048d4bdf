import process from 'node:process';
import { parseArgs } from 'node:util';

/** What can be measured by itself, in the order in which it is. */
export const parts = [
  'a second start',
  'warming up',
  'the gateway alone',
  'reads',
  'creates',
  'data',
  'growth',
  'signing in',
  'feeds of many',
  'write to the feed',
  'write to Kafka',
  'the flow of events',
  'with everything switched on',
  'recovery from faults',
  'what tracing and logs cost',
] as const;

/** One of them. */
export type Part = (typeof parts)[number];

/** What is to be measured, and how long. */
export interface BenchOptions {
  /** For a look at whether it runs: its figures are none to rely on. */
  readonly short: boolean;
  readonly parts: ReadonlySet<Part>;
}

/** What is measured beside something else needs that, too. */
const needs: Partial<Record<Part, Part>> = { 'what tracing and logs cost': 'with everything switched on' };

const usage = `npm run bench -- [--short] [--part <words>]…

Measures the platform beside bare limits of this machine, and prints a table: let nothing else run beside it.
Some parts take long: growth, up to a million records, took 12 minutes on two cores.

  --short          a second each: whether it runs, not how fast
  --part <words>   only what has these words in its name; may be given more than once.
                   What has not run before is cold: add --part 'warming up'
  --help           this

Parts: ${parts.join(', ')}`;

/** What was asked for cannot be measured: its message says what can. */
export class BenchUsageError extends Error {
  override readonly name = 'BenchUsageError';
}

const valuesOf = (args: readonly string[]) => {
  try {
    return parseArgs({
      args: [...args],
      options: {
        short: { type: 'boolean', default: false },
        part: { type: 'string', multiple: true, default: [] },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new BenchUsageError(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
  }
};

/**
 * @param args - of the command line, without program and script
 * @returns what to measure; none where only help was asked for
 * @throws BenchUsageError where an option is unknown, or names no part
 */
export function benchOptions(args: readonly string[]): BenchOptions | undefined {
  const { short, part, help } = valuesOf(args);
  if (help) return undefined;
  const chosen = new Set<Part>(part.length === 0 ? parts : []);
  for (const words of part) {
    const named = words === '' ? [] : parts.filter((each) => each.includes(words));
    if (named.length === 0) throw new BenchUsageError(`no part has "${words}" in its name\n\n${usage}`);
    for (const each of named) {
      chosen.add(each);
      const needed = needs[each];
      if (needed !== undefined) chosen.add(needed);
    }
  }
  return { short, parts: chosen };
}

/**
 * The same, for a program: what cannot be measured is said, with what can, before anything is started, and it ends with 2.
 *
 * @param args - of the command line, without program and script
 */
export function benchOptionsOrExit(args: readonly string[]): BenchOptions {
  try {
    const options = benchOptions(args);
    if (options !== undefined) return options;
    console.log(usage);
    process.exit(0);
  } catch (error) {
    if (!(error instanceof BenchUsageError)) throw error;
    console.error(`bench: ${error.message}`);
    process.exit(2);
  }
}
