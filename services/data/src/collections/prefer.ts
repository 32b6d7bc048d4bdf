/** For how long a call is waited for at most: below the gateway's patience (`UPSTREAM_TIMEOUT`, 30 s). */
const mostMs = 20_000;

/**
 * For how long whoever calls wants to wait for the end of what is done (RFC 7240: `respond-async`, `wait`). What is not understood is ignored, as §2
 * has it.
 *
 * @param header - `Prefer`
 * @returns milliseconds; up to 20 s, which is also what nothing said means
 */
export function waitOf(header: string | readonly string[] | undefined): number {
  const preferences = String(header ?? '')
    .split(',')
    .map((each) => each.split(';', 1)[0]?.trim().toLowerCase() ?? '');
  const waits = preferences.flatMap((each) => /^wait\s*=\s*"?(\d{1,6})"?$/.exec(each)?.[1] ?? []);
  // The first one counts.
  const [wait] = waits;
  if (wait !== undefined) return Math.min(mostMs, Number(wait) * 1_000);
  return preferences.includes('respond-async') ? 0 : mostMs;
}
