// The body of every project's `npm test` (unit), `npm run test-int` (int) and `npm run test-e2e`:
// `run-specs.ts unit|int|e2e [part of a path…]`.
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { specBounds } from './spec-bounds.ts';
import { withTestServers } from './test-servers.ts';
import { findSpecs, runSpecs } from './spec-run.ts';
import { isGreen, leftOutText, nothingRun, type Totals, writeTotals } from './totals.ts';

const usage = 'usage: run-specs.ts unit|int|e2e [--verbose] [part of a spec file’s path…]';

async function main(): Promise<Totals> {
  const { positionals, values } = parseArgs({ allowPositionals: true, options: { verbose: { type: 'boolean' } } });
  const [kind, ...filters] = positionals;
  if (kind !== 'unit' && kind !== 'int' && kind !== 'e2e') throw new Error(usage);
  const projectDir = process.cwd();
  const name = process.env.npm_package_name ?? path.basename(projectDir);
  if ((await findSpecs(projectDir, kind, filters)).length === 0) {
    console.log(`${name} ${kind}: no specs`);
    await writeTotals(projectDir, kind, nothingRun);
    return nothingRun;
  }
  const startedAt = performance.now();
  const go = (): Promise<Totals & { readonly files: number }> =>
    runSpecs({
      projectDir,
      kind,
      filters,
      ...specBounds(kind, process.env),
      verbose: values.verbose ?? false,
      write: (text) => void process.stdout.write(text),
    });
  const { files, ...totals } = await (kind === 'int' ? withTestServers(go) : go());
  await writeTotals(projectDir, kind, totals);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : '';
  console.log(
    `${isGreen(totals) ? '✔' : '✖'} ${name} ${kind}: ${totals.passed} passed, ${totals.failed} failed${skipped} (${files} files, ${seconds} s)`,
  );
  process.stdout.write(leftOutText(totals));
  return totals;
}

try {
  process.exitCode = isGreen(await main()) ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
