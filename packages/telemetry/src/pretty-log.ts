import { styleText } from 'node:util';
import type { DestinationStream } from 'pino';

type Colour = Parameters<typeof styleText>[0];

const colours: Readonly<Record<string, Colour>> = {
  fatal: ['bgRed', 'white'],
  error: 'red',
  warn: 'yellow',
  info: 'green',
};

const parse = (line: string): Record<string, unknown> | undefined => {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
};

const rest = (fields: Record<string, unknown>): string =>
  Object.entries(fields)
    .map(
      ([key, value]) => ` ${styleText('dim', `${key}=`)}${typeof value === 'string' ? value : JSON.stringify(value)}`,
    )
    .join('');

const stackOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'stack' in error && typeof error.stack === 'string'
    ? `\n${styleText('dim', error.stack)}`
    : '';

/**
 * One log line as a person reads it: `12:00:01.250 warn  auth  message key=value`, then the error's stack.
 *
 * @param line - a line of JSON as pino writes it; anything else is given back unchanged
 */
export const prettyLine = (line: string): string => {
  const fields = parse(line);
  if (fields === undefined) return line;
  const { level, time, service, message, error, trace_id: _traceId, span_id: _spanId, ...others } = fields;
  const name = String(level);
  const head = `${styleText('dim', String(time).slice(11, 23))} ${styleText(colours[name] ?? 'dim', name.padEnd(5))}`;
  const cause = stackOf(error);
  const said = cause === '' && error !== undefined ? { ...others, error } : others;
  return `${head} ${String(service)}  ${typeof message === 'string' ? message : ''}${rest(said)}${cause}\n`;
};

/**
 * Lines for a person instead of JSON.
 *
 * @param target - where they go
 */
export const prettyStream = (target: DestinationStream): DestinationStream => ({
  write: (line) => target.write(prettyLine(line)),
});
