import { readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';

import type { TelemetryOptions } from './start-telemetry.ts';

interface Manifest {
  readonly name?: string;
  readonly version?: string;
}

/** The package.json nearest to a file: which service this process is. */
const manifestOf = (file: string): Manifest => {
  for (let folder = path.dirname(path.resolve(file)); ; folder = path.dirname(folder)) {
    try {
      return JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as Manifest;
    } catch {
      if (folder === path.dirname(folder)) return {};
    }
  }
};

const ratioOf = (text: string | undefined): number => {
  const ratio = Number(text ?? '0.1');
  // The service's own settings name a bad value when it starts; until then the default holds.
  return text !== '' && ratio >= 0 && ratio <= 1 ? ratio : 0.1;
};

/**
 * What telemetry is started with, before a service has read its own settings: `OTEL_SERVICE_NAME` (or the name of the
 * package that is started), `TRACE_SAMPLE_RATIO` and `OTEL_EXPORTER_OTLP_ENDPOINT`.
 */
export const telemetryOptions = (environment: NodeJS.ProcessEnv = process.env): TelemetryOptions => {
  const manifest = manifestOf(process.argv[1] ?? 'unknown');
  const endpoint = environment.OTEL_EXPORTER_OTLP_ENDPOINT;
  return {
    service: environment.OTEL_SERVICE_NAME ?? manifest.name?.replace('@causeway/', '') ?? 'causeway',
    version: manifest.version ?? '0.0.0',
    sampleRatio: ratioOf(environment.TRACE_SAMPLE_RATIO),
    ...(endpoint !== undefined && endpoint !== '' && { otlpEndpoint: endpoint }),
  };
};
