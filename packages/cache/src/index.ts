export { createRevisionCache } from './revision-cache.ts';
export type { CacheCodec, RevisionCache, RevisionCacheOptions } from './revision-cache.ts';
