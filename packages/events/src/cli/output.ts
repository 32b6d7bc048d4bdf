import process from 'node:process';
import { styleText } from 'node:util';

/** Where a command writes: lines for a person, or JSON, one value a line, for a program. */
export interface Output {
  readonly json: boolean;
  /** A value: as JSON, or as `human` has it. */
  value(value: unknown, human: () => string): void;
  /** A word for a person alone, on standard error, so that it never mixes with what is asked for. */
  note(text: string): void;
}

/** @param json - whether a program reads it */
export const createOutput = (json: boolean): Output => ({
  json,
  value: (value, human) => void process.stdout.write(`${json ? JSON.stringify(value) : human()}\n`),
  note: (text) => void process.stderr.write(`${text}\n`),
});

/** Colours where somebody looks; `NO_COLOR` and pipes get none. */
export const paint = (style: 'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan', text: string): string =>
  styleText(style, text, { stream: process.stdout });

/** @param rows - the first is the head */
export const table = (rows: readonly (readonly string[])[]): string => {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('   ')
      .trimEnd(),
  );
  return [paint('dim', lines[0] ?? ''), ...lines.slice(1)].join('\n');
};
