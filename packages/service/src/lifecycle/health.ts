/** Asks whether something that the service needs is there. */
export type ReadinessCheck = () => boolean | Promise<boolean>;

/** What `/readyz` says. */
export interface Readiness {
  readonly status: 'ready' | 'not-ready';
  /** What is not ready, by name. */
  readonly notReady: readonly string[];
  /** What is missing, by name, while traffic is taken all the same. */
  readonly degraded: readonly string[];
}

/** A check that takes longer counts as failed: a hanging database is not ready. */
const checkTimeoutMs = 1_000;

const passes = async (check: ReadinessCheck): Promise<boolean> => {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(resolve, checkTimeoutMs, false);
  try {
    return await Promise.race([check(), promise]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
};

const failing = async (checks: Readonly<Record<string, ReadinessCheck>>): Promise<string[]> => {
  const names = Object.keys(checks);
  const passed = await Promise.all(Object.values(checks).map(passes));
  return names.filter((_, index) => passed[index] !== true);
};

/**
 * Runs all checks beside each other, each within a second.
 *
 * @param needed - by the name of what they look at: without any of these no traffic is taken
 * @param helpful - what is only named where it is missing
 */
export const readiness = async (
  needed: Readonly<Record<string, ReadinessCheck>>,
  helpful: Readonly<Record<string, ReadinessCheck>> = {},
): Promise<Readiness> => {
  const [notReady, degraded] = await Promise.all([failing(needed), failing(helpful)]);
  return { status: notReady.length === 0 ? 'ready' : 'not-ready', notReady, degraded };
};
