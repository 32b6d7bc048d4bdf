import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { checkout } from '../testing/throw-away-servers.ts';

const nx = path.join(checkout, 'node_modules', '.bin', 'nx');

/** @returns the files of the checkout whose change makes the task run again instead of being taken from the cache */
async function inputsOf(task: string): Promise<ReadonlySet<string>> {
  const { stdout } = await promisify(execFile)(process.execPath, [nx, 'show', 'target', 'inputs', task, '--json'], {
    cwd: checkout,
    maxBuffer: 16 * 1024 * 1024,
  });
  return new Set((JSON.parse(stdout) as { files: string[] }).files);
}

async function assertInputs(task: string, files: readonly string[]): Promise<void> {
  const inputs = await inputsOf(task);
  assert.deepEqual(
    files.filter((file) => !inputs.has(file)),
    [],
    `${task} is taken from the cache whatever these hold`,
  );
}

describe('a cached result', () => {
  it('of the unit tests of a service depends on its README, the packages and what runs them', () =>
    assertInputs('@causeway/auth:test', [
      'services/auth/README.md',
      'services/auth/src/config.ts',
      'packages/service/src/settings/base-settings.ts',
      'packages/stack/src/testing/spec-report.ts',
      'package-lock.json',
    ]));

  it('of the unit tests of e2e depends on the manifests and on the settings that they are held against', () =>
    assertInputs('@causeway/e2e:test', [
      'deploy/k8s/base/auth.yaml',
      'deploy/docker/Dockerfile',
      'skaffold.yaml',
      'services/gateway/src/config.ts',
      'packages/service/src/settings/base-settings.ts',
    ]));

  it('of the types of e2e depends on the settings that it imports', () =>
    assertInputs('@causeway/e2e:typecheck', ['services/data/src/config.ts', 'packages/stack/src/testing/index.ts']));
});
