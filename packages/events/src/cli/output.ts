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
  value: (value, human) => void process.stdout.write(`${json ? plainJson(value) : human()}\n`),
  note: (text) => void process.stderr.write(`${text}\n`),
});

// Control characters (C0, DEL, C1): a terminal obeys them, and what others have written may hold them.
// eslint-disable-next-line no-control-regex -- they are what is looked for
const controls = /[\u0000-\u001f\u007f-\u009f]/g;

/** Text as it may be shown in one line, whoever has written it. */
export const plain = (text: string): string => text.replaceAll(controls, '\u{fffd}');

/** Colours where somebody looks; `NO_COLOR` and pipes get none. */
export const paint = (style: 'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan', text: string): string =>
  styleText(style, plain(text), { stream: process.stdout });

/** JSON that a terminal may be given: what it would obey is escaped. */
export const plainJson = (value: unknown, indent?: number): string =>
  JSON.stringify(value, null, indent).replaceAll(
    /[\u007f-\u009f]/g,
    (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** @param rows - the first is the head */
export const table = (rows: readonly (readonly string[])[]): string => {
  const texts = rows.map((row) => row.map(plain));
  const widths = (texts[0] ?? []).map((_, column) => Math.max(...texts.map((row) => row[column]?.length ?? 0)));
  const lines = texts.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('   ')
      .trimEnd(),
  );
  return [paint('dim', lines[0] ?? ''), ...lines.slice(1)].join('\n');
};
