export { createAskedBefore } from './asked-before.ts';
export { createRevisionCache } from './revision-cache.ts';
export type { CacheCodec, RevisionCache, RevisionCacheOptions } from './revision-cache.ts';
export { createSharedReads } from './shared-reads.ts';
export type { SharedReads } from './shared-reads.ts';
export { createVersionedCache } from './versioned-cache.ts';
export type { VersionedCache, VersionedCacheOptions, VersionedCodec } from './versioned-cache.ts';
