import { readMetrics } from '@causeway/events/testing';
import { request } from 'undici';

/** What of a cache is asked for. */
export interface CacheReads {
  readonly cache: 'records' | 'pages';
  /** Where reads of it end. */
  readonly tiers: readonly ('process' | 'redis' | 'database')[];
}

/**
 * @param opsUrl - where a process of the data service gives its metrics
 * @returns how many reads of a cache of its have ended at one of these tiers since it began
 */
export async function cacheReads(opsUrl: string, { cache, tiers }: CacheReads): Promise<number> {
  const { body } = await request(new URL('/metrics', opsUrl), { signal: AbortSignal.timeout(10_000) });
  const metrics = readMetrics(await body.text());
  const readsAt = (tier: string): number =>
    metrics.value('causeway_cache_reads_total', { causeway_cache: cache, tier }) ?? 0;
  return tiers.reduce((sum, tier) => sum + readsAt(tier), 0);
}
