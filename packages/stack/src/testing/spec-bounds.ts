import type { SpecKind } from './totals.ts';

/** How long one spec file may take, and how many run beside each other. */
export interface SpecBounds {
  readonly fileTimeoutMs: number;
  readonly concurrency: number;
}

const bounds: Record<SpecKind, SpecBounds> = {
  unit: { fileTimeoutMs: 60_000, concurrency: 2 },
  int: { fileTimeoutMs: 180_000, concurrency: 2 },
  // Each brings a platform up on this machine's cores.
  e2e: { fileTimeoutMs: 600_000, concurrency: 1 },
};

/**
 * A long form repeats a part of its file up to 25 times; the rest, such as starting servers, takes no longer. The longest, the import of a million
 * lines, took 37 minutes on two cores that had much else to do.
 */
const longFactor = 15;

/**
 * @param env - `SPEC_FILE_TIMEOUT_MS` and `SPEC_CONCURRENCY` overrule; `CAUSEWAY_TEST_LONG` gives each file 15 times as long
 * @throws Error when a setting is not a whole number of at least 1
 */
export function specBounds(kind: SpecKind, env: Readonly<NodeJS.ProcessEnv>): SpecBounds {
  const { fileTimeoutMs, concurrency } = bounds[kind];
  const factor = env.CAUSEWAY_TEST_LONG === undefined ? 1 : longFactor;
  return {
    fileTimeoutMs: setting(env, 'SPEC_FILE_TIMEOUT_MS', fileTimeoutMs * factor),
    concurrency: setting(env, 'SPEC_CONCURRENCY', concurrency),
  };
}

function setting(env: Readonly<NodeJS.ProcessEnv>, name: string, fallback: number): number {
  const text = env[name];
  if (text === undefined || text === '') return fallback;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`${name} must be a whole number of at least 1, not ${text}`);
  return value;
}
