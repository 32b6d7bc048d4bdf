import type { History, Violation } from './history.ts';

/** How long events took, in milliseconds. */
export interface Latencies {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

const latenciesOf = (values: readonly number[]): Latencies => {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? 0 };
};

/** What promptness is measured on, and held to. */
export interface PromptnessOptions {
  /** Only events that were recorded since (milliseconds since 1970), while nothing was broken. */
  readonly since: number;
  /** From recorded to the log, and to the effect; and {@link busyFactor} times the median on top. */
  readonly withinMs: number;
}

/** On a machine that is busy with other things everything takes longer. What a bell has passed over does so by far more than the rest. */
const busyFactor = 4;

/**
 * Promptness: where nothing is broken, an event takes its way at once. One that had to wait for a sweep was passed over by its bell.
 */
export const checkPromptness = (
  { services }: History,
  { since, withinMs }: PromptnessOptions,
): { readonly latencies: Latencies; readonly violations: Violation[] } => {
  const recordedAt = new Map<string, number>();
  const took: number[] = [];
  const ways: { readonly event: string; readonly what: string; readonly ms: number }[] = [];
  for (const { service, log } of services) {
    for (const { at, event } of log) {
      const time = Date.parse(event.time);
      if (time < since) continue;
      recordedAt.set(event.id, time);
      ways.push({ event: event.id, what: `to the log of ${service}`, ms: at - time });
    }
  }
  for (const { service, handled } of services) {
    for (const { handler, event, at } of handled) {
      const time = recordedAt.get(event);
      if (time === undefined) continue;
      took.push(at - time);
      ways.push({ event, what: `to its effect at ${service}/${handler}`, ms: at - time });
    }
  }
  const latencies = latenciesOf(took);
  const boundMs = withinMs + busyFactor * latencies.p50;
  const violations = ways
    .filter(({ ms }) => ms > boundMs)
    .map(({ event, what, ms }) => ({
      check: 'promptness' as const,
      what: `event ${event} took ${Math.round(ms)} ms ${what}`,
    }));
  return { latencies, violations };
};
