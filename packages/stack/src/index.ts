export { type Platform, type PlatformOptions, startPlatform } from './platform/start-platform.ts';
export type { RunMode } from './platform/service-child.ts';
export { stackStatus, type StackStatus } from './platform/status.ts';
export { stopPlatform } from './platform/stop-platform.ts';
export { consoleReporter, lineReporter, type Progress, type Reporter, silent } from './report.ts';
export { portSetting, readSettings, type StackSettings } from './settings.ts';
export { StackError } from './stack-error.ts';
export { type ServerName, type ServiceDefinition, services } from './topology.ts';
