import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { cruise, type ICruiseOptions, type IReporterOutput } from 'dependency-cruiser';
import extractDepcruiseConfig from 'dependency-cruiser/config-utl/extract-depcruise-config';

const checkout = path.join(import.meta.dirname, '../../../..');

/** What each rule forbids, broken once: the file that is to be complained of, what it imports, and the rule. */
const breaches: readonly (readonly [file: string, imports: string, rule: string])[] = [
  ['services/auth/src/main.ts', '../../user/src/thing.ts', 'no-service-to-service'],
  ['services/user/src/main.ts', '@causeway/stack', 'no-service-to-tools'],
  ['services/data/src/main.ts', '@causeway/sdk', 'no-service-to-tools'],
  ['packages/cache/src/up.ts', '../../../services/auth/src/thing.ts', 'no-package-to-service'],
  ['packages/contracts/src/breach.ts', '@causeway/telemetry', 'contracts-imports-nothing'],
  ['packages/telemetry/src/breach.ts', '@causeway/contracts', 'telemetry-imports-nothing'],
  ['packages/stack/src/breach.ts', '@causeway/contracts', 'stack-imports-nothing'],
  ['packages/cache/src/breach.ts', '@causeway/events', 'cache-imports-telemetry'],
  ['packages/events/src/breach.ts', '@causeway/service', 'events-imports'],
  ['packages/events/src/forgetful.ts', 'ioredis', 'events-without-redis'],
  ['packages/service/src/breach.ts', '@causeway/events', 'service-imports'],
  ['packages/sdk/src/breach.ts', '@causeway/service', 'sdk-imports-contracts'],
  ['services/auth/src/faulty.ts', '@causeway/events/faults', 'tests-only'],
  ['services/auth/src/tested.ts', './sign-in.unit.spec.ts', 'tests-only'],
  ['examples/subscriber/subscriber.ts', '@causeway/events/faults', 'tests-only'],
  ['packages/service/src/round.ts', './trip.ts', 'no-circular'],
  ['services/gateway/src/main.ts', './missing.ts', 'resolvable'],
];

/** What the same rules allow. */
const allowed: readonly (readonly [file: string, imports: string])[] = [
  ['services/auth/src/allowed.ts', '@causeway/events'],
  ['services/auth/src/sign-in.int.spec.ts', '@causeway/events/faults'],
  ['packages/events/src/allowed.ts', '@causeway/contracts'],
  ['packages/service/src/allowed.ts', '@causeway/telemetry'],
  ['packages/cache/src/allowed.ts', '@causeway/telemetry'],
  ['packages/sdk/src/allowed.ts', '@causeway/contracts'],
];

describe('the dependency rules', () => {
  let dir: string;
  let found: { readonly from: string; readonly rule: string }[];

  before(async () => {
    // The rules are told apart by paths, which therefore have to be the real ones.
    dir = await realpath(await mkdtemp(path.join(tmpdir(), 'rules-')));
    await cp(path.join(checkout, '.dependency-cruiser.mjs'), path.join(dir, '.dependency-cruiser.mjs'));
    await writeFile(path.join(dir, 'package.json'), '{"type":"module"}');
    await mkdir(path.join(dir, 'node_modules', '@causeway'), { recursive: true });
    for (const name of ['cache', 'contracts', 'events', 'sdk', 'service', 'stack', 'telemetry'])
      await workspacePackage(name);
    await file('services/user/src/thing.ts', 'export const thing = 1;');
    await file('services/auth/src/thing.ts', 'export const thing = 1;');
    await file('services/auth/src/sign-in.unit.spec.ts', 'export const spec = 1;');
    await file('packages/service/src/trip.ts', "import './round.ts';");
    for (const [name, imports] of [...breaches, ...allowed]) await file(name, `import '${imports}';`);
    found = await violations();
  });
  after(() => rm(dir, { recursive: true }));

  async function file(name: string, content: string): Promise<void> {
    await mkdir(path.dirname(path.join(dir, name)), { recursive: true });
    await writeFile(path.join(dir, name), content);
  }

  async function workspacePackage(name: string): Promise<void> {
    const exports = { '.': { development: './src/index.ts' }, './faults': { development: './src/faults/index.ts' } };
    await file(`packages/${name}/package.json`, JSON.stringify({ name: `@causeway/${name}`, type: 'module', exports }));
    await file(`packages/${name}/src/index.ts`, 'export const it = 1;');
    await file(`packages/${name}/src/faults/index.ts`, 'export const it = 1;');
    await symlink(path.join(dir, 'packages', name), path.join(dir, 'node_modules', '@causeway', name));
  }

  async function violations(): Promise<{ from: string; rule: string }[]> {
    const { options = {}, ...ruleSet } = await extractDepcruiseConfig(path.join(dir, '.dependency-cruiser.mjs'));
    const cruiseOptions: ICruiseOptions = { ...options, ruleSet, validate: true, baseDir: dir };
    const result: IReporterOutput = await cruise(await cruisedFolders(), cruiseOptions, options.enhancedResolveOptions);
    assert.ok(typeof result.output === 'object');
    return result.output.summary.violations.map(({ from, rule }) => ({ from, rule: rule.name }));
  }

  /** Those that `npm run check` looks at. */
  async function cruisedFolders(): Promise<string[]> {
    const { nx } = JSON.parse(await readFile(path.join(checkout, 'package.json'), 'utf8')) as {
      nx: { targets: Record<string, { command: string }> };
    };
    const command = nx.targets['check-dependencies']?.command ?? '';
    const folders = command.split(' ').filter((word) => existsSync(path.join(dir, word)));
    return folders.filter((word) => !word.startsWith('.'));
  }

  for (const [name, imports, rule] of breaches) {
    it(`${rule}: ${name} may not import ${imports}`, () => {
      const told = found.filter(({ from }) => from === name).map((each) => each.rule);
      assert.ok(told.includes(rule), `told: ${told.join(', ') || 'nothing'}`);
    });
  }

  it('tells of nothing that is allowed', () => {
    const names = new Set(allowed.map(([name]) => name));
    assert.deepEqual(
      found.filter(({ from }) => names.has(from)),
      [],
    );
  });

  it('has every rule broken here', async () => {
    const { forbidden = [] } = await extractDepcruiseConfig(path.join(dir, '.dependency-cruiser.mjs'));
    const broken = new Set(breaches.map(([, , rule]) => rule));
    assert.deepEqual(
      forbidden.map(({ name }) => name).filter((name) => name !== undefined && !broken.has(name)),
      [],
    );
  });
});
