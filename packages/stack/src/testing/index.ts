export { startPlatform, type TestPlatform, type TestPlatformOptions } from './test-platform.ts';
export { endReplicas, startReplicas, type TestReplicas, type TestReplicasOptions } from './test-replicas.ts';
export { startServers, throwAwayDir, type TestServers } from './throw-away-servers.ts';
export type { TestChild } from './test-child.ts';
export { residentBytes } from '../processes/process-table.ts';
