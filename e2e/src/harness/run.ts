// `npm run test-e2e [part of a spec file’s path…]`: one platform for all spec files, in a home that is thrown away.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { StackError } from '@causeway/stack';
import { endReplicas, startPlatform } from '@causeway/stack/testing';
import { testSettings } from './limits.ts';
import { platformVariable } from './platform-variable.ts';
import { startTraceCollector } from './trace-collector.ts';

const runner = path.resolve(import.meta.dirname, '../../../packages/stack/src/testing/run-specs.ts');

/** Runs the specs, which find the platform in their environment. */
async function runSpecs(handed: string): Promise<number> {
  const specs = spawn(process.execPath, ['--conditions=development', runner, 'e2e', ...process.argv.slice(2)], {
    env: { ...process.env, [platformVariable]: handed },
    stdio: 'inherit',
  });
  // Broken off from outside, it still leaves nothing behind.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => specs.kill(signal));
  const [code] = (await once(specs, 'exit')) as [number | null];
  return code ?? 1;
}

async function onNewPlatform(home: string): Promise<number> {
  const said = createWriteStream(path.join(home, 'platform.log'));
  const reporter = {
    say: (text: string) => void said.write(`${new Date().toISOString()} ${text}\n`),
    progress: () => ({ at: () => undefined, end: () => undefined }),
  };
  const traces = await startTraceCollector();
  const env = testSettings(traces.url);
  const platform = await startPlatform({ dir: home, freePorts: true, env, reporter });
  const { urls, adminEmail, adminPassword } = platform;
  // Beside the home, not in it: what is in there is what the secrets are looked for in.
  const secrets = `${home}.secrets`;
  await writeFile(secrets, '', { mode: 0o600 });
  const seconds = (platform.startedInMs / 1000).toFixed(1);
  console.log(
    `a platform for e2e: ready in ${seconds} s, ${Math.round(platform.memoryBytes() / 2 ** 20)} MiB resident`,
  );
  try {
    const handed = { home, urls: { ...urls, traces: traces.url }, adminEmail, adminPassword, secrets };
    return await runSpecs(JSON.stringify(handed));
  } finally {
    // Of a spec that was ended before it could.
    await endReplicas(home);
    await platform.stop();
    traces.close();
    said.end();
    await rm(secrets, { force: true });
  }
}

async function main(): Promise<number> {
  const given = process.env[platformVariable];
  if (given !== undefined) return runSpecs(given);
  const home = await mkdtemp(path.join(tmpdir(), 'causeway-test-'));
  const code = await onNewPlatform(home);
  // The logs of a run that failed are what one looks at next.
  if (code === 0) await rm(home, { recursive: true, force: true });
  else console.log(`what the platform said is in ${home}: platform.log and logs`);
  return code;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof StackError ? error.message : error);
  process.exitCode = 1;
}
