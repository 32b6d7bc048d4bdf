import { startTelemetry, type TelemetryOptions } from '@causeway/telemetry';

/** A span that is over. */
export type EndedSpan = Parameters<NonNullable<TelemetryOptions['spanProcessor']>['onEnd']>[0];

/** Traces everything in this process from now on. */
export const traceEverything = (): { readonly spans: EndedSpan[]; readonly stop: () => Promise<void> } => {
  const spans: EndedSpan[] = [];
  const telemetry = startTelemetry({
    service: 'test',
    version: '0.0.0',
    sampleRatio: 1,
    spanProcessor: {
      onStart: () => undefined,
      onEnd: (span) => void spans.push(span),
      forceFlush: () => Promise.resolve(),
      shutdown: () => Promise.resolve(),
    },
  });
  return { spans, stop: () => telemetry.shutdown(1_000) };
};
