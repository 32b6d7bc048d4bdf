/** How long is measured. */
export interface Span {
  readonly warmUpMs: number;
  readonly measureMs: number;
}

/**
 * Repeats something, so many side by side.
 *
 * @returns how often a second it came to its end, after the warm-up
 */
export async function countWhile(
  { warmUpMs, measureMs }: Span,
  concurrency: number,
  once: (worker: number) => Promise<void>,
): Promise<number> {
  let count = 0;
  const begin = performance.now() + warmUpMs;
  const end = begin + measureMs;
  await Promise.all(
    Array.from({ length: concurrency }, async (_, worker) => {
      while (performance.now() < end) {
        await once(worker);
        const at = performance.now();
        if (at >= begin && at < end) count += 1;
      }
    }),
  );
  return (count * 1000) / measureMs;
}
