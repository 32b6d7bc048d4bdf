export { startPlatform, type TestPlatform, type TestPlatformOptions } from './test-platform.ts';
export { startServers, throwAwayDir, type TestServers } from './throw-away-servers.ts';
export type { TestChild } from './test-child.ts';
export { residentBytes } from '../processes/process-table.ts';
