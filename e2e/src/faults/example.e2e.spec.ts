import assert from 'node:assert/strict';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { allFaults } from '@causeway/events/faults';
import { seed } from '../kills/seeded-random.ts';
import { startOwnServers, type OwnServers } from './own-servers.ts';

const isLong = process.env.CAUSEWAY_TEST_LONG !== undefined;
const checkout = path.resolve(import.meta.dirname, '../../..');
/** What a service's author installs: the package itself, and those of ours that it needs. */
const packages = ['contracts', 'telemetry', 'events'];
const run = promisify(execFile);

/**
 * Installs packages as `npm install <tarball>` does: of ours what `npm pack` puts into them, of the others what is in the checkout, so that no
 * registry is needed.
 */
async function install(folder: string): Promise<void> {
  const modules = path.join(folder, 'node_modules');
  await mkdir(path.join(modules, '@causeway'), { recursive: true });
  for (const name of await readdir(path.join(checkout, 'node_modules'))) {
    if (name !== '@causeway') await symlink(path.join(checkout, 'node_modules', name), path.join(modules, name));
  }
  for (const name of packages) {
    const cwd = path.join(checkout, 'packages', name);
    const { stdout } = await run('npm', ['pack', '--silent', '--pack-destination', folder], { cwd });
    const own = path.join(modules, '@causeway', name);
    await mkdir(own);
    await run('tar', ['-xzf', path.join(folder, stdout.trim()), '--strip-components=1', '-C', own]);
  }
}

describe('the example of a service of somebody else’s under faults, outside of the checkout', () => {
  let folder: string;
  let running: ChildProcess | undefined;
  let own: OwnServers | undefined;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'causeway-shop-'));
    await run('npx', ['nx', 'run', '@causeway/events:build', '--outputStyle=static'], { cwd: checkout });
    await writeFile(path.join(folder, 'package.json'), '{"name":"shop","private":true,"type":"module"}');
    await cp(path.join(checkout, 'examples/faults/testing'), path.join(folder, 'testing'), { recursive: true });
    await install(folder);
    own = await startOwnServers();
  });
  after(async () => {
    running?.kill();
    await own?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** As its README has it, with the packages as they are installed. */
  const shop = async (...args: string[]): Promise<{ readonly code: number | null; readonly said: string }> => {
    const { mongodb, kafka } = own?.servers ?? assert.fail('there are servers');
    const { NODE_OPTIONS: _, NODE_TEST_CONTEXT: __, ...inherited } = process.env;
    const child = spawn(process.execPath, ['testing/run.ts', ...args], {
      cwd: folder,
      env: { ...inherited, MONGODB_URL: mongodb.url, KAFKA_BROKERS: kafka.broker },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running = child;
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, said };
  };

  it(`keeps what is promised under ${isLong ? 'every fault that it needs no servers of its own for' : 'one fault'}`, async (context) => {
    const { code, said } = await shop('--seed', String(seed), ...(isLong ? [] : ['--fault', 'duplicates']));
    context.diagnostic(said.slice(said.lastIndexOf(`seed ${seed}`)));
    assert.equal(code, 0, said);
    assert.match(said, /^duplicates +platformatic .* kept *$/m);
    if (!isLong) return;
    for (const { name } of allFaults)
      assert.match(said, new RegExp(`^${name} +platformatic .*(kept|passed over) *$`, 'm'));
    for (const name of ['parking', 'rebalances', 'kill-handled', 'frozen-leader'])
      assert.match(said, new RegExp(`^${name} +platformatic .* kept *$`, 'm'));
  });

  it('says what it may be asked', async () => {
    const { code, said } = await shop('--fault', 'no-such');
    assert.equal(code, 1);
    assert.match(said, /--fault takes one of kill-recorded, /);
  });
});
