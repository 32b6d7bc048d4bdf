import { context, trace } from '@opentelemetry/api';
import { destination, pino, type DestinationStream, type Logger as PinoLogger } from 'pino';

import { prettyStream } from './pretty-log.ts';
import { withoutSecrets } from './redact.ts';

/** A structured logger: `logger.info({ sessionId }, 'session ended')`. Secrets are taken out by the names of their keys. */
export type Logger = PinoLogger;

/** Levels from the quietest to the loudest. */
export const logLevels = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;

/** One of {@link logLevels}. */
export type LogLevel = (typeof logLevels)[number];

/** What a logger is made of. */
export interface LoggerOptions {
  /** Name of the service: the `service` of each line. */
  readonly service: string;
  readonly level?: LogLevel;
  /** `json` (default) is one JSON object a line; `pretty` is for a person at a terminal. */
  readonly format?: 'json' | 'pretty';
  /** Where lines go: standard output unless a test listens. */
  readonly stream?: DestinationStream;
}

/** Bytes that are gathered before a write to standard output; flushed each {@link flushEveryMs} and at exit. */
const bufferBytes = 4096;
const flushEveryMs = 200;

const traceIds = (): object => {
  const span = trace.getSpanContext(context.active());
  return span === undefined ? {} : { trace_id: span.traceId, span_id: span.spanId };
};

const standardOutput = (): DestinationStream =>
  // pino flushes a buffering destination at process exit by itself (on-exit-leak-free).
  destination({ dest: 1, minLength: bufferBytes, periodicFlush: flushEveryMs, sync: false });

/** Where each logger writes to; a stream of pino's own can be given up. */
const outputs = new WeakMap<Logger, DestinationStream & { destroy?(): void }>();

/**
 * Makes a logger: one JSON object a line on standard output, with `trace_id` and `span_id` of what runs now, errors with
 * their causes, and no value whose key names a secret.
 *
 * @param options - service, level, format
 */
export const createLogger = (options: LoggerOptions): Logger => {
  const target = options.stream ?? standardOutput();
  const logger = pino(
    {
      level: options.level ?? 'info',
      base: { service: options.service },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      messageKey: 'message',
      errorKey: 'error',
      mixin: traceIds,
      formatters: { level: (label) => ({ level: label }), log: (bindings) => withoutSecrets(bindings) },
      // Errors are serialised by withoutSecrets, which knows their causes.
      serializers: { error: (value: unknown) => value, err: (value: unknown) => value },
    },
    options.format === 'pretty' ? prettyStream(target) : target,
  );
  outputs.set(logger, target);
  return logger;
};

/**
 * Writes what is buffered: the last thing before a process ends. What nobody has taken in time is given up, since the exit would
 * wait for it too, for as long as nobody reads.
 *
 * @param withinMs - how long it may take
 */
export const endLogger = async (logger: Logger, withinMs: number): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(resolve, withinMs, false);
  logger.flush(() => resolve(true));
  const written = await promise;
  clearTimeout(timer);
  if (!written) outputs.get(logger)?.destroy?.();
};
