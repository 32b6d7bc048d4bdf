import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { readTotals, totalsFile } from './totals.ts';

const runSpecs = path.join(import.meta.dirname, 'run-specs.ts');

describe('run-specs', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'specs-'));
    await mkdir(path.join(dir, 'src', 'feature'), { recursive: true });
    await writeFile(path.join(dir, 'package.json'), '{"type":"module"}');
  });
  afterEach(() => rm(dir, { recursive: true }));

  const spec = (name: string, code: string) =>
    writeFile(
      path.join(dir, 'src', name),
      `import { it } from 'node:test';\nimport process from 'node:process';\n${code}`,
    );

  function run(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    // Without this the runner takes itself for a test file of the run that this very spec belongs to.
    const inherited = { ...process.env, NODE_TEST_CONTEXT: undefined, npm_package_name: 'fixture', ...env };
    const result = spawnSync(process.execPath, ['--conditions=development', runSpecs, ...args], {
      cwd: dir,
      env: inherited,
      encoding: 'utf8',
    });
    return { status: result.status, output: result.stdout + result.stderr };
  }

  it('says one line when all is well, and writes the totals', async () => {
    await spec('a.unit.spec.ts', "it('one', () => {}); it('two', () => console.log('chatter'));");
    await spec('feature/b.unit.spec.ts', "it('three', () => {});");
    await spec('c.int.spec.ts', "it('not asked for', () => { throw new Error(); });");
    const { status, output } = run(['unit']);
    assert.equal(status, 0);
    assert.match(output, /^✔ fixture unit: 3 passed, 0 failed \(2 files, \d+\.\d s\)\n$/);
    assert.deepEqual(await readTotals(dir, 'unit'), { passed: 3, failed: 0, skipped: 0, leftOut: [] });
  });

  it('tells what a test has measured, also when all is well', async () => {
    await spec('a.unit.spec.ts', "it('waits', (test) => test.diagnostic('ready again after 3.1 s'));");
    const { status, output } = run(['unit']);
    assert.equal(status, 0);
    assert.match(output, /^ℹ src\/a\.unit\.spec\.ts: ready again after 3\.1 s\n✔ fixture unit: 1 passed, 0 failed/);
  });

  it('tells failures in full, with what the file printed', async () => {
    await spec('a.unit.spec.ts', "it('adds', () => { console.log('half-way'); throw new Error('two and two'); });");
    const { status, output } = run(['unit']);
    assert.equal(status, 1);
    assert.match(output, /✖ src\/a\.unit\.spec\.ts › adds \(src\/a\.unit\.spec\.ts:3\)\n +Error: two and two/);
    assert.match(output, /│ half-way/);
    assert.deepEqual(await readTotals(dir, 'unit'), { passed: 0, failed: 1, skipped: 0, leftOut: [] });
  });

  it('fails for a skipped test, and says which', async () => {
    await spec('a.unit.spec.ts', "it('done', () => {}); it.skip('later', () => {}); it.todo('some day');");
    const { status, output } = run(['unit']);
    assert.equal(status, 1);
    assert.match(output, /a\.unit\.spec\.ts › later: skipped, which counts as failed/);
    assert.deepEqual(await readTotals(dir, 'unit'), { passed: 1, failed: 0, skipped: 2, leftOut: [] });
  });

  it('tells last which suites this machine cannot run, and why, and fails for one that gives no reason', async () => {
    const suite = (name: string, skip: string) =>
      `describe('${name}', { skip: ${skip} }, () => it('never', () => {}));`;
    const code = "import { describe } from 'node:test'; it('one', () => {});";
    await spec('a.unit.spec.ts', code + suite('in a browser', "'there is no browser'"));
    const { status, output } = run(['unit']);
    assert.equal(status, 0);
    const [first, ...last] = output.trimEnd().split('\n');
    assert.match(first ?? '', /^✔ fixture unit: 1 passed, 0 failed \(1 files/);
    const why = 'src/a.unit.spec.ts › in a browser: there is no browser';
    assert.deepEqual(last, ['⚠ 1 suite was NOT RUN on this machine:', `  ﹣ ${why}`]);
    assert.deepEqual(await readTotals(dir, 'unit'), { passed: 1, failed: 0, skipped: 0, leftOut: [why] });
    await spec('a.unit.spec.ts', code + suite('later', 'true'));
    const forgotten = run(['unit']);
    assert.equal(forgotten.status, 1);
    assert.match(forgotten.output, /a\.unit\.spec\.ts › later: skipped, which counts as failed/);
  });

  it('fails for a file that holds no test, crashes, or never ends', async () => {
    await spec('empty.unit.spec.ts', '');
    await spec('crash.unit.spec.ts', "it('one', () => {}); throw new Error('on the way');");
    const ended = run(['unit']);
    assert.equal(ended.status, 1);
    assert.match(ended.output, /empty\.unit\.spec\.ts: holds no test/);
    assert.match(ended.output, /on the way/);
    assert.equal((await readTotals(dir, 'unit'))?.failed, 2);
    // By itself: on a busy machine the others, too, may take longer than this bound.
    await spec('leak.unit.spec.ts', "it('two', () => {}); setInterval(() => {}, 1000);");
    const { status, output } = run(['unit', 'leak'], { SPEC_FILE_TIMEOUT_MS: '3000' });
    assert.equal(status, 1);
    assert.match(output, /leak\.unit\.spec\.ts: not ended after 3 s: a test hangs, or a handle was left open/);
    assert.equal((await readTotals(dir, 'unit'))?.failed, 1);
  });

  it('counts nothing where there are no specs', async () => {
    const { status, output } = run(['unit']);
    assert.deepEqual([status, output], [0, 'fixture unit: no specs\n']);
    assert.deepEqual(await readTotals(dir, 'unit'), { passed: 0, failed: 0, skipped: 0, leftOut: [] });
  });

  it('runs the files that are asked for', async () => {
    await spec('a.unit.spec.ts', "it('one', () => {});");
    await spec('feature/b.unit.spec.ts', "it('two', () => { throw new Error(); });");
    assert.equal(run(['unit', 'a.unit']).status, 0);
  });

  it('gives integration specs the servers of the environment', async () => {
    await spec(
      'a.int.spec.ts',
      "it('has them', () => { if (process.env.MONGODB_URL !== 'mongodb://given') throw new Error(process.env.MONGODB_URL); });",
    );
    const given = { MONGODB_URL: 'mongodb://given', KAFKA_BROKERS: 'given:1', REDIS_URL: 'redis://given' };
    const { status, output } = run(['int'], given);
    assert.equal(status, 0, output);
  });

  it('starts servers for integration specs where there are none, and ends them', async () => {
    const code = `import { connect } from 'node:net';
      it('reaches them', async () => {
        const { MONGODB_URL, KAFKA_BROKERS, REDIS_URL } = process.env;
        for (const address of [MONGODB_URL, 'kafka://' + KAFKA_BROKERS, REDIS_URL]) {
          const { hostname: host, port } = new URL(address);
          await new Promise((resolve, reject) => connect({ host, port }, resolve).once('error', reject).unref());
        }
        console.log('REDIS', REDIS_URL);
      });`;
    await spec('a.int.spec.ts', code);
    const none = { MONGODB_URL: undefined, KAFKA_BROKERS: undefined, REDIS_URL: undefined };
    const { status, output } = run(['int', '--verbose'], none);
    assert.equal(status, 0, output);
    const address = /REDIS (\S+)/.exec(output)?.[1] ?? '';
    await assert.rejects(fetch(address.replace('redis:', 'http:')), /fetch failed/);
  });

  it('says so when containers are asked for and no Docker answers', async () => {
    await spec('a.int.spec.ts', "it('never runs', () => {});");
    const nowhere = { CAUSEWAY_TEST_SERVERS: 'containers', DOCKER_HOST: 'tcp://127.0.0.1:1' };
    const { status, output } = run(['int'], nowhere);
    assert.equal(status, 1);
    assert.match(output, /^CAUSEWAY_TEST_SERVERS=containers asks for Docker, and no Docker daemon answers here/);
    assert.equal(await readTotals(dir, 'int'), undefined, totalsFile(dir, 'int'));
  });
});
