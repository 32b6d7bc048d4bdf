import type { RoundReport } from './run-round.ts';

/** Of one check, what is listed; the rest is counted. */
const listed = 5;

const headings = ['fault', 'driver', 'commands', 'unknown', 'events', 'duplicates', 'at rest', 'p50', 'max', 'verdict'];

const rowOf = (round: RoundReport): string[] => {
  const { fault, driver, verdict, latencies } = round;
  if (verdict === 'passed over') return [fault, driver, '', '', '', '', '', '', '', verdict];
  const counts = [round.commands, round.unknown, round.events, round.duplicates].map(String);
  const times = [round.recoveryMs, latencies?.p50 ?? 0, latencies?.max ?? 0].map((ms) => `${Math.round(ms)} ms`);
  return [fault, driver, ...counts, ...times, verdict];
};

/** A table of rounds: what was done, how often Kafka holds a record again, and how long it took to come to rest. */
export const tableOf = (rounds: readonly RoundReport[]): string => {
  const rows = [headings, ...rounds.map(rowOf)];
  const widths = headings.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
};

/** What a round that failed has broken, with ids, and how it is run again. */
export const failureOf = ({ fault, driver, seed, round, violations, notes }: RoundReport): string => {
  const lines = [`${fault} on ${driver}, seed ${seed}, round ${round}:`];
  const checks = new Set(violations.map(({ check }) => check));
  for (const check of checks) {
    const own = violations.filter((each) => each.check === check);
    lines.push(...own.slice(0, listed).map(({ what }) => `  ${check}: ${what}`));
    if (own.length > listed) lines.push(`  ${check}: and ${own.length - listed} more`);
  }
  return [...lines, ...notes.map((note) => `  ${note}`)].join('\n');
};
