// Run before everything else: `node --import @causeway/telemetry/preload src/main.ts`. Modules that are loaded before the
// hook is registered stay uninstrumented without a word.
import { register } from 'node:module';

import { telemetryOptions } from './config.ts';
import { startTelemetry } from './start-telemetry.ts';

const options = telemetryOptions();
// The hook costs time and memory at each start, and serves only spans that somebody receives.
// eslint-disable-next-line @typescript-eslint/no-deprecated -- import-in-the-middle's hook is an asynchronous one
if (options.otlpEndpoint !== undefined) register('@opentelemetry/instrumentation/hook.mjs', import.meta.url);
startTelemetry(options);
