// The body of the root's `npm test`: check, then unit, integration and e2e of all projects; `--long` for the long forms.
import { spawn } from 'node:child_process';
import { existsSync, globSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { columns } from '../platform/table.ts';
import { wordsOf } from '../stack-error.ts';
import { withTestServers } from './test-servers.ts';
import { checkout } from './throw-away-servers.ts';
import {
  addTotals,
  isGreen,
  leftOutText,
  nothingRun,
  readTotals,
  type SpecKind,
  totalsFile,
  type Totals,
  totalsLine,
} from './totals.ts';

const oneFailure: Totals = { ...nothingRun, failed: 1 };

interface Phase {
  readonly name: string;
  readonly run: () => Promise<Totals>;
}

const { values } = parseArgs({ options: { long: { type: 'boolean', default: false } } });
// A suite with a long form looks for this; without it, it runs its short one.
if (values.long) process.env.CAUSEWAY_TEST_LONG = '1';

const projects = globSync(['packages/*', 'services/*', 'e2e', 'examples/*'], { cwd: checkout })
  .map((folder) => path.join(checkout, folder))
  .filter((folder) => existsSync(path.join(folder, 'package.json')))
  .sort();

const phases: readonly Phase[] = [
  {
    name: 'check',
    run: async () => ((await run('npm', ['run', '--silent', 'check'], checkout)) ? nothingRun : oneFailure),
  },
  { name: 'unit', run: unit },
  { name: 'integration', run: () => withTestServers(() => eachProject('int')) },
  { name: 'e2e', run: () => eachProject('e2e') },
];

/** Through Nx, so that what has not changed is not run again: it restores the totals too. */
async function unit(): Promise<Totals> {
  for (const project of projects) rmSync(totalsFile(project, 'unit'), { force: true });
  const args = ['run-many', '--target=test', '--parallel=2', '--outputStyle=static'];
  const succeeded = await run(path.join(checkout, 'node_modules', '.bin', 'nx'), args, checkout);
  const tested = projects.filter((project) => hasScript(project, 'test'));
  const totals = await sum(tested, 'unit');
  return succeeded || !isGreen(totals) ? totals : addTotals(totals, oneFailure);
}

async function eachProject(kind: SpecKind): Promise<Totals> {
  const script = `test-${kind}`;
  let totals = nothingRun;
  for (const project of projects.filter((each) => hasScript(each, script))) {
    rmSync(totalsFile(project, kind), { force: true });
    const succeeded = await run('npm', ['run', '--silent', script], project);
    const found = await sum([project], kind);
    // Whatever it counted: a run that ended badly has not passed.
    totals = addTotals(totals, succeeded || !isGreen(found) ? found : addTotals(found, oneFailure));
  }
  return totals;
}

/** A project that left no totals has not come to an end: that is a failure. */
async function sum(tested: readonly string[], kind: SpecKind): Promise<Totals> {
  let totals = nothingRun;
  for (const project of tested) {
    const found = await readTotals(project, kind);
    if (found === undefined) console.log(`✖ ${path.relative(checkout, project)} ${kind}: did not come to its end`);
    totals = addTotals(totals, found ?? oneFailure);
  }
  return totals;
}

function hasScript(project: string, script: string): boolean {
  const { scripts = {} } = JSON.parse(readFileSync(path.join(project, 'package.json'), 'utf8')) as {
    scripts?: Record<string, string>;
  };
  return script in scripts;
}

/** @returns whether it ended with status 0 */
function run(command: string, args: readonly string[], cwd: string): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === 0));
  });
}

let totals = nothingRun;
const rows: string[][] = [];
const begunAt = performance.now();
for (const phase of phases) {
  console.log(`\n── ${phase.name} ──`);
  const startedAt = performance.now();
  const found = await phase.run().catch((error: unknown) => {
    console.error(wordsOf(error));
    return oneFailure;
  });
  totals = addTotals(totals, found);
  const skipped = found.skipped > 0 ? `${found.skipped} skipped` : '';
  rows.push([phase.name, seconds(startedAt), `${found.passed} passed`, `${found.failed} failed`, skipped]);
}
console.log(`\n${columns([...rows, ['all', seconds(begunAt)]])}\n\n${leftOutText(totals)}${totalsLine(totals)}`);
process.exitCode = isGreen(totals) ? 0 : 1;

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}
