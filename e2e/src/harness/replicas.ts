import { startReplicas as start, type TestReplicas } from '@causeway/stack/testing';
import { testSettings } from './limits.ts';
import { platform } from './platform.ts';

/** Starts a second gateway, and a second data service behind it, beside those of the platform; whoever does stops them. */
export const startReplicas = (): Promise<TestReplicas> =>
  start({ dir: platform.home, urls: platform.urls, env: testSettings(platform.urls.traces) });
