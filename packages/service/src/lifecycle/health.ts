/** Asks whether something that the service needs is there. */
export type ReadinessCheck = () => boolean | Promise<boolean>;

/** What `/readyz` says. */
export interface Readiness {
  readonly status: 'ready' | 'not-ready';
  /** What is not ready, by name. */
  readonly notReady: readonly string[];
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

/**
 * Runs all checks beside each other, each within a second.
 *
 * @param checks - by the name of what they look at
 */
export const readiness = async (checks: Readonly<Record<string, ReadinessCheck>>): Promise<Readiness> => {
  const results = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => ({ name, passed: await passes(check) })),
  );
  const notReady = results.filter((each) => !each.passed).map((each) => each.name);
  return { status: notReady.length === 0 ? 'ready' : 'not-ready', notReady };
};
