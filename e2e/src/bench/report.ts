import { cpus, totalmem } from 'node:os';
import process from 'node:process';

/** A row of the report. */
export interface Row {
  readonly what: string;
  readonly measured: string;
  /** What it is measured against. */
  readonly beside?: string;
  readonly ratio?: string;
  readonly aim?: string;
}

/** @returns the report as Markdown */
export function reportOf(rows: readonly Row[]): string {
  const lines = rows.map(({ what, measured, beside = '', ratio = '', aim = '' }) =>
    [what, measured, beside, ratio, aim].map((cell) => ` ${cell} `).join('|'),
  );
  const [cpu] = cpus();
  const gigabytes = (totalmem() / 2 ** 30).toFixed(0);
  return [
    `${cpu?.model.trim() ?? 'unknown CPU'}, ${cpus().length} cores, ${gigabytes} GB, Node ${process.version}, ${process.platform} ${process.arch}, ${new Date().toISOString().slice(0, 10)}. All processes, and the load, share these cores.`,
    '',
    '| what | measured | beside | ratio | aim |',
    '| --- | --- | --- | --- | --- |',
    ...lines.map((line) => `|${line}|`),
  ].join('\n');
}

export const perSecond = (value: number): string => `${Math.round(value).toLocaleString('en')}/s`;
export const milliseconds = (value: number): string => `${value.toFixed(value < 10 ? 1 : 0)} ms`;
export const ratio = (one: number, other: number): string => (one / other).toFixed(2);
