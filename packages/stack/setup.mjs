// Before `npm start`, `npm test`, …: installs what this checkout needs, if it is not there. Runs on any Node from 20 on, and
// uses nothing but Node and npm, because there may be nothing else yet.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';

const root = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '../..');
const oldestNode = 20;
const lockFile = path.join(root, '.causeway', 'setup.lock');
const installTimeoutMs = 15 * 60_000;

/** Says what is wrong, in a sentence that can be acted on, and ends. */
function fail(message) {
  console.error(message);
  process.exit(1);
}

/** The packages that a lock file lists, with their versions; those that only some platforms have are left out. */
export function listed(lock) {
  return Object.entries(lock.packages ?? {}).filter(
    ([name, entry]) => name !== '' && !entry.optional && !entry.devOptional && !entry.extraneous,
  );
}

/**
 * True when everything in `package-lock.json` is installed in that version: npm writes what it has installed to a lock file
 * of its own inside node_modules.
 */
export function isInstalled(wanted, installed) {
  return listed(wanted).every(([name, entry]) => {
    // The folders of the workspaces themselves are not installed; the links to them are.
    if (!name.includes('node_modules/')) return true;
    const there = installed.packages?.[name];
    return there !== undefined && there.version === entry.version && there.link === entry.link;
  });
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return {};
  }
}

function upToDate() {
  const wanted = readJson(path.join(root, 'package-lock.json'));
  if (wanted.packages === undefined) fail('package-lock.json is missing or broken: is this a whole checkout?');
  return isInstalled(wanted, readJson(path.join(root, 'node_modules', '.package-lock.json')));
}

/** `npm start` and `npm test` of a fresh clone may come at the same moment; one installs, the other waits. */
async function withLock(body) {
  mkdirSync(path.dirname(lockFile), { recursive: true });
  const until = Date.now() + installTimeoutMs;
  for (let told = false; ; told = true) {
    try {
      writeFileSync(lockFile, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const holder = Number(readFileOr(lockFile, '0'));
    if (!isAlive(holder)) rmSync(lockFile, { force: true });
    else if (Date.now() > until) fail(`pid ${holder} has been installing for too long: end it and try again`);
    else if (!told) console.log(`pid ${holder} is installing the dependencies; waiting for it`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  try {
    return await body();
  } finally {
    rmSync(lockFile, { force: true });
  }
}

function readFileOr(file, fallback) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return fallback;
  }
}

function isAlive(pid) {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function install() {
  console.log('installing the dependencies (npm ci); the first time this takes a minute or two');
  const startedAt = Date.now();
  const seconds = () => Math.round((Date.now() - startedAt) / 1000);
  const npm = process.env.npm_execpath;
  const args = ['ci', '--loglevel=error', '--no-audit', '--no-fund'];
  const [command, all] = npm?.endsWith('.js') ? [process.execPath, [npm, ...args]] : ['npm', args];
  // What npm tells its scripts (the name of the one that runs, its folder) is not meant for this run of npm.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_(lifecycle|package)_/.test(name)),
  );
  const child = spawn(command, all, {
    cwd: root,
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: installTimeoutMs,
  });
  const words = setInterval(() => console.log(`still installing, ${seconds()} s`), 15_000);
  return new Promise((resolve) => {
    child.once('error', (error) => fail(`npm cannot be started (${error.message}): install Node 20 or later with npm`));
    child.once('exit', (code) => {
      clearInterval(words);
      if (code !== 0) {
        fail(
          'npm ci failed (its words are above). It needs the npm registry: check the network, a proxy (HTTPS_PROXY)\nor a mirror (npm config set registry …), and try again.',
        );
      }
      console.log(`dependencies installed in ${seconds()} s`);
      resolve();
    });
  });
}

/** The project runs on its own Node, which comes as a dependency; scripts of npm find it first on their PATH. */
function checkOwnNode() {
  const own = path.join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');
  const result = existsSync(own) ? spawnSync(own, ['--version'], { encoding: 'utf8' }) : undefined;
  const version = result?.status === 0 ? result.stdout.trim() : undefined;
  const wanted = readJson(path.join(root, 'node_modules', 'node', 'package.json')).version;
  if (version !== undefined && version === `v${wanted}`) return;
  fail(
    `the project's own Node (${wanted ?? 'npm package "node"'}) does not run here: ${version ?? result?.error?.message ?? result?.stderr?.trim() ?? 'it is missing'}.\n` +
      'It is installed by a script of the npm package "node": allow install scripts (npm config get ignore-scripts must be\n' +
      'false), remove node_modules, and try again. On a platform without such a build, install Node 24 and put it first on the PATH.',
  );
}

if (Number(process.versions.node.split('.')[0]) < oldestNode) {
  fail(
    `this is Node ${process.versions.node}: install Node ${oldestNode} or later (https://nodejs.org), then try again`,
  );
}
if (process.argv[1] !== undefined && path.resolve(process.argv[1]).endsWith('setup.mjs')) {
  if (process.argv.includes('--no-install')) {
    // Asking what runs, or ending it, is no reason to install anything.
    if (!existsSync(path.join(root, 'node_modules', 'node'))) {
      fail('nothing is installed in this checkout yet, so nothing runs from it; npm start installs what is needed');
    }
  } else if (!upToDate()) await withLock(async () => (upToDate() ? undefined : install()));
  checkOwnNode();
}
