export { altered } from './altered.ts';
export { testIdentity } from './test-identity.ts';
export type { TestIdentity, TestTokenClaims } from './test-identity.ts';
export { startTestService } from './test-service.ts';
export type { TestService } from './test-service.ts';
export { assertSettingsTable } from './settings-readme.ts';
export { startSmallRedis } from './small-redis.ts';
export type { SmallRedis, SmallRedisOptions } from './small-redis.ts';
